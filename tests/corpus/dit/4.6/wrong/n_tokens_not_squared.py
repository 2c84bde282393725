"""The number of tokens is that of one row.

Named: n_tokens is the square
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes=10):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.transformer = DiffusionTransformer(num_layers, 32 // patch_size, dim, heads=heads)
