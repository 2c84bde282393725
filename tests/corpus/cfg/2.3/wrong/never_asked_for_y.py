"""Both answers are those for ∅: y is never handed on.

Named: no effect: this is the unconditional field
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        w, y = self.guidance_scale, torch.full_like(y, self.null_label)
        return (1 - w) * self.net(x, t, y) + w * self.net(x, t, y)
