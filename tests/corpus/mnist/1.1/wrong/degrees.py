"""The angle is in degrees.

Named: Your α takes 90° for a right angle
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.sin(90 * t)

    def dt(self, t):
        return 90 * torch.cos(90 * t)


class CosineBeta(CosineBeta):
    def __call__(self, t):
        return torch.cos(90 * t)

    def dt(self, t):
        return -90 * torch.sin(90 * t)
