"""The tokens are read from the last to the first.

Named: Token 0 paints patch
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        return super().forward(x.flip(1))
