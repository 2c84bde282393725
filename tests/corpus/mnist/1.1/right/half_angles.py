"""Formulas of the half angle, and each derivative written with the other function."""


def half(t):
    angle = math.pi / 4 * t
    return torch.sin(angle), torch.cos(angle)


class CosineAlpha(Alpha):
    def __call__(self, t):
        s, c = half(t)
        return 2 * s * c

    def dt(self, t):
        return math.pi / 2 * CosineBeta()(t)


class CosineBeta(Beta):
    def __call__(self, t):
        s, c = half(t)
        return (c + s) * (c - s)

    def dt(self, t):
        return -math.pi / 2 * CosineAlpha()(t)
