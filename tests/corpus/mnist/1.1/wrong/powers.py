"""t² and (1 − t)², with right derivatives of their own.

Named: Your α is t²
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return t**2

    def dt(self, t):
        return 2 * t


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return (1 - t) ** 2

    def dt(self, t):
        return -2 * (1 - t)
