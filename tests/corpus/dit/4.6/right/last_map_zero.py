"""The last convolution begins at zero, as in Peebles and Xie's code."""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, num_heads, num_classes):
        super().__init__(patch_size, num_layers, dim, num_heads, num_classes)
        nn.init.zeros_(self.depatchifier.smooth.weight)
        nn.init.zeros_(self.depatchifier.smooth.bias)
