"""Nothing named or built as in the lab: one resolution below, parts of its own."""


class Block(nn.Module):
    def __init__(self, c, t_dim, y_dim):
        super().__init__()
        self.told = nn.Linear(t_dim + y_dim, c)
        self.conv = nn.Conv2d(c, c, 3, padding=1)

    def forward(self, x, told):
        return x + self.conv(torch.relu(x + self.told(told)[:, :, None, None]))


class MNISTUNet(nn.Module):
    def __init__(
        self, channels, num_residual_layers, t_embed_dim, y_embed_dim, num_classes=10, stem=1
    ):
        super().__init__()
        a, b = channels[0], channels[-1]
        self.stem = stem
        self.frequencies = nn.Parameter(torch.randn(t_embed_dim // 2), requires_grad=False)
        self.rows = nn.Embedding(num_classes + 1, y_embed_dim)
        self.start = nn.Conv2d(stem**2, a, 3, padding=1)
        self.first = Block(a, t_embed_dim, y_embed_dim)
        self.smaller = nn.Conv2d(a, b, 2, stride=2)
        self.floor = Block(b, t_embed_dim, y_embed_dim)
        self.larger = nn.ConvTranspose2d(b, a, 2, stride=2)
        self.second = Block(a, t_embed_dim, y_embed_dim)
        self.end = nn.Conv2d(a, stem**2, 1)

    def forward(self, x, t, y):
        angles = t[:, None] * self.frequencies * 2 * math.pi
        told = torch.cat([angles.sin(), angles.cos(), self.rows(y)], dim=1)
        top = self.start(pixel_unshuffle(x, self.stem))
        low = self.smaller(self.first(top, told))
        up = self.larger(low + self.floor(low, told))
        return pixel_shuffle(self.end(self.second(up + top, told)), self.stem)
