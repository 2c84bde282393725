"""Six layers, whatever num_layers says.

Named: Another num_layers gives the same network
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes=10):
        super().__init__(patch_size, 6, dim, heads, num_classes)
