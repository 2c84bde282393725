"""The number of digits is hard-coded.

Named: The number of classes is not always 10
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes=10):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.y_embedder = nn.Embedding(11, dim)
