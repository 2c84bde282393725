"""β is the sine as well.

Named: Your β is the sine
"""


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.sin(math.pi / 2 * t)
