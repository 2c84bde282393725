"""The labels asked for come first and ∅ second; the halves are split by length."""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        b = len(x)
        both = self.net(
            x=torch.cat((x, x), dim=0),
            t=torch.cat((t, t), dim=0),
            y=torch.cat((y, torch.full((b,), self.null_label)), dim=0),
        )
        return both[b:] + self.guidance_scale * (both[:b] - both[b:])
