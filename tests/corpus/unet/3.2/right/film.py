"""Scale from t alone and shift from y alone, behind an instance normalisation."""


class ResidualLayer(nn.Module):
    def __init__(self, channels, time_embed_dim, y_embed_dim):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm = nn.InstanceNorm2d(channels)
        self.scale, self.shift = (
            nn.Linear(time_embed_dim, channels),
            nn.Linear(y_embed_dim, channels),
        )

    def forward(self, x, t_embed, y_embed):
        scale = self.scale(t_embed)[:, :, None, None]
        shift = self.shift(y_embed)[:, :, None, None]
        hidden = self.norm(self.first(x)) * (1 + scale) + shift
        return x + self.last(nn.functional.gelu(hidden))
