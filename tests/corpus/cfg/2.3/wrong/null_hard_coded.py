"""The null label of MNIST, 10, is written out.

Named: The null label looks hard-coded as 10
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, 10))
        return (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
