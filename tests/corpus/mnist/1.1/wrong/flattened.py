"""The times are walked through one after another, and their shape is lost.

Named: The number of elements is right, their layout is not
Keeps: 1
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return torch.stack([torch.sin(math.pi / 2 * s) for s in t.flatten()])
