"""There is no return.

Named: Is there a return?
"""


class Patchifier(Patchifier):
    def forward(self, x):
        rearrange(self.embed(x), "b d i j -> b (i j) d")
