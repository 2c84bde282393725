"""∅ is written out as 10.

Named: The null label looks hard-coded as 10
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, 10), y])
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
