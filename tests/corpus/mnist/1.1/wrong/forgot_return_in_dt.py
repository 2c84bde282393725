"""There is no return in dt.

Named: Is there a return?
Keeps: 1
"""


class CosineBeta(CosineBeta):
    def dt(self, t):
        -math.pi / 2 * torch.sin(math.pi / 2 * t)
