"""The factor π/2 is forgotten.

Named: Your α forgets the factor π/2
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.sin(t)

    def dt(self, t):
        return torch.cos(t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(t)

    def dt(self, t):
        return -torch.sin(t)
