"""The pixel counts before the patch, in rows and in columns.

Named: (i p) (j q), not (p i) (q j)
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        pixels = self.pixels(self.norm(x))
        return self.smooth(rearrange(pixels, "b (i j) (f p q) -> b f (p i) (q j)", **sizes))
