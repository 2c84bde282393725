"""A point that runs along the unit circle in the complex plane; the slope is its velocity."""


def point(t):
    angle = t * math.pi / 2
    return torch.polar(torch.ones_like(angle), angle)


def velocity(t):
    return point(t) * complex(0, math.pi / 2)


class CosineAlpha(Alpha):
    def __call__(self, t):
        return point(t).imag

    def dt(self, t):
        return velocity(t).imag


class CosineBeta(Beta):
    def __call__(self, t):
        return point(t).real

    def dt(self, t):
        return velocity(t).real
