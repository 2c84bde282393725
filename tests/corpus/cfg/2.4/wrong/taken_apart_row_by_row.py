"""Concatenated one behind the other, but taken apart as if the rows alternated.

Named: the rows of x and t and the labels stand in another order than those that you take apart
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        out = self.net(torch.cat([x, x]), torch.cat([t, t]), labels)
        return (1 - self.guidance_scale) * out[0::2] + self.guidance_scale * out[1::2]
