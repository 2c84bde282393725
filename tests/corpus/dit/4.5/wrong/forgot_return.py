"""There is no return.

Named: Is there a return?
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        sizes = {"i": self.rows, "p": self.patch_size, "q": self.patch_size}
        image = rearrange(self.pixels(self.norm(x)), "b (i j) (f p q) -> b f (i p) (j q)", **sizes)
        image = self.smooth(image)
