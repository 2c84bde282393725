"""The labels are doubled, and nobody says ∅.

Named: no effect: this is the conditional field
"""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        out = self.net(torch.cat([x, x]), torch.cat([t, t]), torch.cat([y, y]))
        free, given = out.chunk(2)
        return (1 - self.guidance_scale) * free + self.guidance_scale * given
