"""As in the original labs: BatchNorm, two adapters, added; x cloned."""


class ResidualLayer(nn.Module):
    def __init__(self, channels, time_embed_dim, y_embed_dim):
        super().__init__()
        self.block1 = nn.Sequential(
            nn.SiLU(), nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.block2 = nn.Sequential(
            nn.SiLU(), nn.BatchNorm2d(channels), nn.Conv2d(channels, channels, 3, padding=1)
        )
        self.time_adapter = nn.Sequential(
            nn.Linear(time_embed_dim, time_embed_dim),
            nn.SiLU(),
            nn.Linear(time_embed_dim, channels),
        )
        self.y_adapter = nn.Sequential(
            nn.Linear(y_embed_dim, y_embed_dim), nn.SiLU(), nn.Linear(y_embed_dim, channels)
        )

    def forward(self, x, t_embed, y_embed):
        res = x.clone()
        x = self.block1(x)
        x = x + self.time_adapter(t_embed).unsqueeze(-1).unsqueeze(-1)
        x = x + self.y_adapter(y_embed).unsqueeze(-1).unsqueeze(-1)
        x = self.block2(x)
        return x + res
