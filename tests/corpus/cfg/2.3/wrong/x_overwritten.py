"""The guided velocity is accumulated in x itself.

Named: Your code writes into x
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        given = self.net(x, t, y)
        x.copy_((1 - self.guidance_scale) * free + self.guidance_scale * given)
        return x
