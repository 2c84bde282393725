"""The tokens run through the image column by column.

Named: The tokens stand column by column
"""


class Patchifier(Patchifier):
    def forward(self, x):
        return rearrange(self.embed(x), "b d i j -> b (j i) d")
