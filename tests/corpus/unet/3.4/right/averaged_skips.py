"""Skips are weighted by numbers that are learned, and the null label is looked up apart."""


class MNISTUNet(MNISTUNet):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__(channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes, stem)
        self.weights = nn.Parameter(torch.full((len(channels), 1), 0.5))
        self.num_classes = num_classes
        self.nobody = nn.Parameter(torch.randn(1, y_embed_dim))
        self.y_embedder = nn.Embedding(num_classes, y_embed_dim)

    def forward(self, x, t, y):
        none = (y == self.num_classes)[:, None]
        y_embed = torch.where(none, self.nobody, self.y_embedder(y.clamp(max=self.num_classes - 1)))
        t_embed = self.time_embedder(t)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        skips = [x]
        for encoder in self.encoders:
            x = encoder(x, t_embed, y_embed)
            skips.append(x)
        x = self.midcoder(x, t_embed, y_embed)
        for weight, decoder in zip(self.weights, self.decoders, strict=False):
            x = decoder(x + weight * skips.pop(), t_embed, y_embed)
        x = x + self.weights[-1] * skips.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
