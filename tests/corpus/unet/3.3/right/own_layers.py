"""Layers of another class; then they are judged by what they do."""


class Additive(nn.Module):
    """A plain residual block to which t and y are added."""

    def __init__(self, channels, t_dim, y_dim):
        super().__init__()
        self.told = nn.Linear(t_dim + y_dim, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x, t_embed, y_embed):
        told = self.told(torch.cat([t_embed, y_embed], dim=1))
        return x + self.conv(torch.relu(x + told[:, :, None, None]))


class Encoder(nn.Module):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__()
        self.blocks = nn.ModuleList(
            [Additive(channels_in, t_embed_dim, y_embed_dim) for _ in range(num_residual_layers)]
        )
        self.down = nn.Conv2d(channels_in, channels_out, 2, stride=2)

    def forward(self, x, t_embed, y_embed):
        for block in self.blocks:
            x = block(x, t_embed, y_embed)
        return self.down(x)
