"""π is 3.14.

Named: Your π is rounded to 3.14;
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.sin(3.14 / 2 * t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(3.14 / 2 * t)
