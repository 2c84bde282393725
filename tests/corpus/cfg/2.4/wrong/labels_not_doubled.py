"""y replaces the doubled labels.

Named: Where the batch is doubled, x, t and the labels all are
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), y).chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
