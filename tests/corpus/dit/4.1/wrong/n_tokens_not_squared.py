"""n_tokens is the number of patches in one row.

Named: n_tokens is
"""


class Patchifier(Patchifier):
    def __init__(self, img_size, patch_size, dim):
        super().__init__(img_size, patch_size, dim)
        self.n_tokens = img_size // patch_size
