"""A coarse difference quotient.

Named: Your α.dt is the difference quotient with h = 0.01
Keeps: 1
"""


class CosineAlpha(CosineAlpha):
    def dt(self, t):
        return (self(t + 0.01) - self(t)) / 0.01
