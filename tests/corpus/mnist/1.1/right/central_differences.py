"""The slope is a central difference in float64, exact to ten digits."""


def central(schedule, t, h=1e-5):
    t = t.double()
    return (schedule(t + h) - schedule(t - h)) / (2 * h)


class CosineAlpha(Alpha):
    def __call__(self, t):
        return torch.sin(math.pi * t / 2)

    def dt(self, t):
        return central(self, t).to(t.dtype)


class CosineBeta(Beta):
    def __call__(self, t):
        return torch.cos(math.pi * t / 2)

    def dt(self, t):
        return central(self, t).to(t.dtype)
