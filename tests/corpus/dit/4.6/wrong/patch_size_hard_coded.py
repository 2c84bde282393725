"""Patches of four pixels, whatever patch_size says.

Named: Another patch_size gives the same network
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes=10):
        super().__init__(4, num_layers, dim, heads, num_classes)
