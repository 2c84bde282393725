"""The walk starts from the conditional field.

Named: This starts from u(x|y) and adds w times the difference
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        given = self.net(x, t, y)
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return given + self.guidance_scale * (given - free)
