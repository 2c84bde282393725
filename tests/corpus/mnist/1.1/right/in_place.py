"""In place on a copy; the factor is kept in the object, and the base class is called last."""


class CosineAlpha(Alpha):
    def __init__(self):
        self.speed = math.acos(0)
        super().__init__()

    def __call__(self, time):
        return time.clone().mul_(self.speed).sin_()

    def dt(self, time):
        return time.clone().mul_(self.speed).cos_().mul_(self.speed)


class CosineBeta(Beta):
    def __init__(self):
        self.speed = math.acos(0)
        super().__init__()

    def __call__(self, time):
        return time.clone().mul_(self.speed).cos_()

    def dt(self, time):
        return time.clone().mul_(self.speed).sin_().mul_(-self.speed)
