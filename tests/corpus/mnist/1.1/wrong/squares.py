"""The squares of sine and cosine, so that α + β = 1.

Named: Your α is the square of the sine
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.sin(math.pi / 2 * t) ** 2

    def dt(self, t):
        return math.pi / 2 * torch.sin(math.pi * t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(math.pi / 2 * t) ** 2

    def dt(self, t):
        return -math.pi / 2 * torch.sin(math.pi * t)
