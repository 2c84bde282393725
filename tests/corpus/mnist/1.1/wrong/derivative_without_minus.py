"""The derivative of the cosine has no minus sign.

Named: Your β.dt has the opposite sign
Keeps: 1
"""


class CosineBeta(CosineBeta):
    def dt(self, t):
        return math.pi / 2 * torch.sin(math.pi / 2 * t)
