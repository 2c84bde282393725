"""repeat_interleave doubles x row by row; t and the labels are doubled as a whole.

Named: the rows of x stand in another order
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        out = self.net(x.repeat_interleave(2, dim=0), t.repeat(2), labels)
        free, given = out.chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
