"""einops is not told the sizes that it cannot work out.

Named: tell einops i=self.rows
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        pixels = self.pixels(self.norm(x))
        return self.smooth(rearrange(pixels, "b (i j) (f p q) -> b f (i p) (j q)"))
