"""t stays as it is.

Named: Where the batch is doubled, x, t and the labels all are
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        free, given = self.net(torch.cat([x, x]), t, labels).chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
