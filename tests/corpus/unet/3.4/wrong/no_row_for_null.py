"""The embedding has no row for the null label.

Named: num_classes + 1 rows
"""


class MNISTUNet(MNISTUNet):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__(channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes, stem)
        self.y_embedder = nn.Embedding(num_classes, y_embed_dim)
