"""Guidance as a factor: w times the conditional field.

Named: The weight of ∅ is missing: w u(x|y) alone
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        return self.guidance_scale * self.net(x, t, y)
