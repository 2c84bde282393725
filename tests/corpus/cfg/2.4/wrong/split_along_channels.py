"""The halves are taken along dim 1, where the channels are.

Named: The two halves lie along the batch
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2, dim=1)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
