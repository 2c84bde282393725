"""∅ is taken for label 0, which is a class.

Named: The null label looks hard-coded as 0
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.zeros_like(y))
        return (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
