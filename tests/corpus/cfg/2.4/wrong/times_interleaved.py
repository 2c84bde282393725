"""The times are doubled row by row, x and the labels as a whole.

Named: the rows of t stand in another order
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        out = self.net(torch.cat([x, x]), torch.repeat_interleave(t, 2), labels)
        free, given = out.chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
