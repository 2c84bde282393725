"""π where π/2 belongs, in β.

Named: Your β has the factor π where π/2 belongs
"""


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(math.pi * t)

    def dt(self, t):
        return -math.pi * torch.sin(math.pi * t)
