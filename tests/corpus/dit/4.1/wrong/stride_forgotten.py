"""The kernel steps from pixel to pixel: there is no stride.

Named: stride = patch_size
"""


class Patchifier(Patchifier):
    def __init__(self, img_size, patch_size, dim):
        super().__init__(img_size, patch_size, dim)
        self.embed = nn.Conv2d(1, dim, kernel_size=patch_size)
