"""∅ is taken for −1, as where a label is ignored.

Named: The null label looks hard-coded as -1
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, -torch.ones_like(y))
        return (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
