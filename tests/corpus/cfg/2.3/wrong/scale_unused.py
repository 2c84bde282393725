"""The guidance scale is not used: the conditional field.

Named: no effect: this is the conditional field
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        return self.net(x, t, y)
