"""torch.lerp goes from the one field to the other, under no_grad."""


class CFGVectorFieldODE(CFGVectorFieldODE):
    @torch.no_grad()
    def drift_coefficient(self, x, t, y):
        nobody = self.null_label * torch.ones_like(y)
        return torch.lerp(self.net(x, t, nobody), self.net(x, t, y), self.guidance_scale)
