"""α has the derivative of β and the other way round.

Named: Your α.dt is the derivative of β
Keeps: 1
"""


class CosineAlpha(CosineAlpha):
    def dt(self, t):
        return -math.pi / 2 * torch.sin(math.pi / 2 * t)


class CosineBeta(CosineBeta):
    def dt(self, t):
        return math.pi / 2 * torch.cos(math.pi / 2 * t)
