"""The tokens are laid out column by column.

Named: The tokens are laid out column by column
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        pixels = self.pixels(self.norm(x))
        return self.smooth(rearrange(pixels, "b (j i) (f p q) -> b f (i p) (j q)", **sizes))
