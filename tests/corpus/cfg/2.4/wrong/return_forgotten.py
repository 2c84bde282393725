"""The field is computed and not returned.

Named: Is there a return?
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        self.last = (1 - self.guidance_scale) * free + self.guidance_scale * given
