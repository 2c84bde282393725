"""The network is called with (x, y, t).

Named: it takes integers, as (x, t, y) in this order
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, torch.full_like(y, self.null_label), t)
        return (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, y, t)
