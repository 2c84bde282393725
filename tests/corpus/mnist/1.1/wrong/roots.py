"""√t and √(1 − t) lie on the circle, too, but are another schedule.

Named: Your α is √t
"""


class CosineAlpha(Alpha):
    def __call__(self, t):
        return t.sqrt()

    def dt(self, t):
        return 0.5 / t.sqrt()


class CosineBeta(Beta):
    def __call__(self, t):
        return torch.sqrt(1 - t)

    def dt(self, t):
        return -0.5 / torch.sqrt(1 - t)
