"""Only w times the difference: the starting point is forgotten.

Named: This is w times the difference alone
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return self.guidance_scale * (self.net(x, t, y) - free)
