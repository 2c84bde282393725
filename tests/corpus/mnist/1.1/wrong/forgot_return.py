"""There is no return in __call__.

Named: Is there a return in __call__?
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        torch.sin(math.pi / 2 * t)
