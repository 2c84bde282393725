"""The field of 2.3 once more: right, but the network is called twice.

Named: The network is called 2 times
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
