"""The first block is never called.

Named: No gradient reaches block1:
"""


class ResidualLayer(nn.Module):
    def __init__(self, channels, time_embed_dim, y_embed_dim):
        super().__init__()
        self.block1 = nn.Sequential(
            nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.block2 = nn.Sequential(
            nn.GroupNorm(8, channels), nn.SiLU(), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.of_t = nn.Linear(time_embed_dim, channels)
        self.of_y = nn.Linear(y_embed_dim, channels)

    def forward(self, x, t_embed, y_embed):
        told = (self.of_t(t_embed) + self.of_y(y_embed))[:, :, None, None]
        return x + self.block2(x + told)
