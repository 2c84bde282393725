"""Skips by concatenation; a strided stem; a zero-initialised head; other names."""


class MNISTUNet(ConditionalVectorField):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__()
        sizes = (num_residual_layers, t_embed_dim, y_embed_dim)
        self.clock = FourierEncoder(t_embed_dim)
        self.names = nn.Embedding(num_classes + 1, y_embed_dim)
        self.first = nn.Conv2d(1, channels[0], kernel_size=stem, stride=stem)
        pairs = list(pairwise(channels))
        self.down = nn.ModuleList(Encoder(a, b, *sizes) for a, b in pairs)
        self.across = Midcoder(channels[-1], *sizes)
        self.up = nn.ModuleList(Decoder(2 * b, a, *sizes) for a, b in pairs)
        self.last = nn.ConvTranspose2d(2 * channels[0], 1, kernel_size=stem, stride=stem)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, x, t, y):
        told = self.clock(t), self.names(y)
        skips = [self.first(x)]
        for down in self.down:
            skips.append(down(skips[-1], *told))
        x = self.across(skips[-1], *told)
        for up in reversed(self.up):
            x = up(torch.cat([x, skips.pop()], dim=1), *told)
        return self.last(torch.cat([skips.pop(), x], dim=1))
