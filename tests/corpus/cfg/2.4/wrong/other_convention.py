"""(1 + w) u(x|y) − w u(x|∅): the papers' w, which is ours minus one.

Named: that is the other convention
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.cat([torch.full_like(y, self.null_label), y])
        free, given = self.net(torch.cat([x, x]), torch.cat([t, t]), labels).chunk(2)
        return (1 + self.guidance_scale) * given - self.guidance_scale * free
