"""1 + w for 1 − w.

Named: The weights should add up to 1; yours are (1 + w) and w
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return (1 + self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
