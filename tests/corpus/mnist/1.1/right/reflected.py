"""β is α run backwards, and so is its derivative."""


class CosineAlpha(Alpha):
    def __call__(self, t):
        return torch.sin(0.5 * math.pi * t)

    def dt(self, t):
        return 0.5 * math.pi * torch.sin(0.5 * math.pi * (1 - t))


class CosineBeta(Beta):
    def __call__(self, t):
        return CosineAlpha()(1 - t)

    def dt(self, t):
        return -CosineAlpha().dt(1 - t)
