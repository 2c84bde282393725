"""The difference points from y to ∅.

Named: The sign of the difference is turned
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return free + self.guidance_scale * (free - self.net(x, t, y))
