"""The channels stand behind the rows and columns when the convolution is called.

Named: the channels stand behind the batch
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        pixels = self.pixels(self.norm(x))
        return self.smooth(rearrange(pixels, "b (i j) (f p q) -> b (i p) (j q) f", **sizes))
