"""`none = y` makes no copy, so that both calls ask for ∅.

Named: no effect: this is the unconditional field
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        none = y
        none.fill_(self.null_label)
        free, given = self.net(x, t, none), self.net(x, t, y)
        return free + self.guidance_scale * (given - free)
