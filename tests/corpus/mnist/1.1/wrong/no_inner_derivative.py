"""The chain rule is forgotten.

Named: Your α.dt lacks the inner derivative π/2.
Keeps: 1
"""


class CosineAlpha(CosineAlpha):
    def dt(self, t):
        return torch.cos(math.pi / 2 * t)


class CosineBeta(CosineBeta):
    def dt(self, t):
        return -torch.sin(math.pi / 2 * t)
