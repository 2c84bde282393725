"""The last convolution begins at zero, as in Peebles and Xie's code."""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, num_heads, num_classes):
        super().__init__(patch_size, num_layers, dim, num_heads, num_classes)
        for parameter in list(self.depatchifier.parameters())[-2:]:
            nn.init.zeros_(parameter)
