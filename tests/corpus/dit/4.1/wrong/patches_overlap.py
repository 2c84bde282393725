"""A kernel larger than its stride, with padding so that the number fits.

Named: the patches overlap
"""


class Patchifier(Patchifier):
    def __init__(self, img_size, patch_size, dim):
        super().__init__(img_size, patch_size, dim)
        self.embed = nn.Conv2d(1, dim, patch_size + 2, stride=patch_size, padding=1)
