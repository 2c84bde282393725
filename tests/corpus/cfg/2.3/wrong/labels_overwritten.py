"""y is overwritten with ∅ in place: the simulator's labels are gone after one step.

Named: Your code writes into y
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        given = self.net(x, t, y)
        y[:] = self.null_label
        return (1 - self.guidance_scale) * self.net(x, t, y) + self.guidance_scale * given
