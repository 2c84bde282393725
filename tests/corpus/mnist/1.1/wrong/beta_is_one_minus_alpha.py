"""β = 1 − α, as on the straight road.

Named: Your β is 1 − α
"""


class CosineBeta(Beta):
    def __call__(self, t):
        return 1 - CosineAlpha()(t)

    def dt(self, t):
        return -CosineAlpha().dt(t)
