"""One mixin for both: a cosine with a phase, computed in float64."""


class Wave:
    phase = 0.0

    def angle(self, t):
        return math.pi / 2 * t.double() - self.phase

    def __call__(self, t):
        return self.angle(t).cos().to(t.dtype)

    def dt(self, t):
        return (-math.pi / 2 * self.angle(t).sin()).to(t.dtype)


class CosineAlpha(Wave, Alpha):
    phase = math.pi / 2


class CosineBeta(Wave, Beta):
    pass
