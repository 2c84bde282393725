"""The number of rows is written as a number: 11.

Named: num_classes + 1 rows
"""


class MNISTUNet(MNISTUNet):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__(channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes, stem)
        self.y_embedder = nn.Embedding(11, y_embed_dim)
