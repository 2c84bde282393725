"""The table has num_classes rows, none for ∅.

Named: the table needs num_classes + 1 rows
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes=10):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.y_embedder = nn.Embedding(num_classes, dim)
