"""(1 + w) u(x|y) − w u(x|∅): the papers' w, which is ours minus one.

Named: that is the other convention, where w = 0 means no guidance
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return (1 + self.guidance_scale) * self.net(x, t, y) - self.guidance_scale * free
