"""The factor π/2 is forgotten in β.

Named: Your β forgets the factor π/2
"""


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(t)

    def dt(self, t):
        return -torch.sin(t)
