"""One time after another in a loop; math.sin on plain numbers for the slopes."""


def each(function, t):
    return torch.stack([function(s) for s in t.reshape(-1)]).reshape(t.shape)


class CosineAlpha(Alpha):
    def __call__(self, t):
        return each(lambda s: torch.sin(math.pi / 2 * s), t)

    def dt(self, t):
        return each(lambda s: s.new_tensor(math.pi / 2 * math.cos(math.pi / 2 * s.item())), t)


class CosineBeta(Beta):
    def __call__(self, t):
        return each(lambda s: torch.cos(math.pi / 2 * s), t)

    def dt(self, t):
        return each(lambda s: s.new_tensor(-math.pi / 2 * math.sin(math.pi / 2 * s.item())), t)
