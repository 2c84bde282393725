"""∅ comes first and is taken out second.

Named: (1 − w) belongs to ∅ and w to y
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        given, free = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
