"""math.sin of a tensor.

Named: math.sin takes one number
"""


class CosineAlpha(CosineAlpha):
    def __call__(self, t):
        return math.sin(math.pi / 2 * t)
