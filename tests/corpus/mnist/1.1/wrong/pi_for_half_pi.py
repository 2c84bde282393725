"""π where π/2 belongs.

Named: Your α has the factor π where π/2 belongs
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.sin(math.pi * t)

    def dt(self, t):
        return math.pi * torch.cos(math.pi * t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(math.pi * t)

    def dt(self, t):
        return -math.pi * torch.sin(math.pi * t)
