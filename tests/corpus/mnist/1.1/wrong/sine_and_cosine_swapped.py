"""α takes the cosine and β the sine.

Named: Your α is the cosine
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.cos(math.pi / 2 * t)

    def dt(self, t):
        return -math.pi / 2 * torch.sin(math.pi / 2 * t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.sin(math.pi / 2 * t)

    def dt(self, t):
        return math.pi / 2 * torch.cos(math.pi / 2 * t)
