"""The two answers are averaged: the scale is forgotten.

Named: no effect: the two answers are averaged
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        return (free + given) / 2
