"""Ones in the shape of x.

Shown: At index
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        return torch.ones_like(x)
