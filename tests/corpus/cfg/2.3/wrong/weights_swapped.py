"""The weights are swapped: w goes to ∅ and 1 − w to y.

Named: (1 − w) belongs to ∅ and w to y
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        given = self.net(x, t, y)
        return self.guidance_scale * free + (1 - self.guidance_scale) * given
