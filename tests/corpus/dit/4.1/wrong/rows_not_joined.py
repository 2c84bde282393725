"""dim goes to the end, but rows and columns stay two dimensions.

Named: join the rows and columns
"""


class Patchifier(Patchifier):
    def forward(self, x):
        return self.embed(x).permute(0, 2, 3, 1)
