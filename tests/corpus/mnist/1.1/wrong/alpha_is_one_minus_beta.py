"""α = 1 − β, as on the straight road; only α is wrong.

Named: Your α is 1 − β
"""


class CosineAlpha(Alpha):
    def __call__(self, t):
        return 1 - torch.cos(math.pi / 2 * t)

    def dt(self, t):
        return math.pi / 2 * torch.sin(math.pi / 2 * t)
