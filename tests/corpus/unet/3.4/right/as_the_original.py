"""The layout of the original labs: SiLU after a first convolution, batch of t as b 1 1 1 inside."""


class MNISTUNet(ConditionalVectorField):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__()
        self.stem = stem
        self.init_conv = nn.Sequential(
            nn.Conv2d(stem**2, channels[0], kernel_size=3, padding=1),
            nn.GroupNorm(8, channels[0]),
            nn.SiLU(),
        )
        self.time_embedder = FourierEncoder(t_embed_dim)
        self.y_embedder = nn.Embedding(num_embeddings=num_classes + 1, embedding_dim=y_embed_dim)
        encoders, decoders = [], []
        for curr_c, next_c in pairwise(channels):
            sizes = (num_residual_layers, t_embed_dim, y_embed_dim)
            encoders.append(Encoder(curr_c, next_c, *sizes))
            decoders.append(Decoder(next_c, curr_c, *sizes))
        self.encoders = nn.ModuleList(encoders)
        self.decoders = nn.ModuleList(reversed(decoders))
        self.midcoder = Midcoder(channels[-1], num_residual_layers, t_embed_dim, y_embed_dim)
        self.final_conv = nn.Conv2d(channels[0], stem**2, kernel_size=3, padding=1)

    def forward(self, x, t, y):
        t = t.reshape(-1, 1, 1, 1)
        t_embed = self.time_embedder(t.flatten())
        y_embed = self.y_embedder(y)
        x = self.init_conv(pixel_unshuffle(x, self.stem))
        residuals = [x.clone()]
        for encoder in self.encoders:
            x = encoder(x, t_embed, y_embed)
            residuals.append(x.clone())
        x = self.midcoder(x, t_embed, y_embed)
        for decoder in self.decoders:
            res = residuals.pop()
            x = x + res
            x = decoder(x, t_embed, y_embed)
        x = x + residuals.pop()
        return pixel_shuffle(self.final_conv(x), self.stem)
