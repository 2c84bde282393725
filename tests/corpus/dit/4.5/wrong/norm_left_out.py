"""The tokens are not normalised.

Named: (norm.weight, norm.bias)
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        image = rearrange(self.pixels(x), "b (i j) (f p q) -> b f (i p) (j q)", **sizes)
        return self.smooth(image)
