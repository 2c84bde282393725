"""Returns x as it is.

Named: The output is x and nothing more
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
        return x
