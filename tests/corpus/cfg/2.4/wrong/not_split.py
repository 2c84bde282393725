"""The doubled batch is weighted and returned whole.

Named: Twice as many rows: do two halves still have to become one?
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        out = self.net(torch.cat([x, x]), torch.cat([t, t]), labels)
        out[: len(x)] *= 1 - self.guidance_scale
        out[len(x) :] *= self.guidance_scale
        return out
