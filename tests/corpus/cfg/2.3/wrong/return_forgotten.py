"""The field is computed and not returned.

Named: Is there a return?
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        guided = (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
        self.last = guided
