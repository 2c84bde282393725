"""The pixel counts before the patch, in rows alone.

Named: (i p), not (p i)
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        pixels = self.pixels(self.norm(x))
        return self.smooth(rearrange(pixels, "b (i j) (f p q) -> b f (p i) (j q)", **sizes))
