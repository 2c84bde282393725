"""The last convolution is not called.

Named: channels; a velocity of a digit has one
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        return rearrange(self.pixels(self.norm(x)), "b (i j) (f p q) -> b f (i p) (j q)", **sizes)
