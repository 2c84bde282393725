"""Halves by averaging, and looks up its layers in a dict."""


class Encoder(nn.Module):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__()
        self.blocks = nn.ModuleDict(
            {
                f"block {n}": ResidualLayer(channels_in, t_embed_dim, y_embed_dim)
                for n in range(num_residual_layers)
            }
        )
        self.last = nn.Sequential(
            nn.AvgPool2d(2), nn.GroupNorm(4, channels_in), nn.Conv2d(channels_in, channels_out, 1)
        )

    def forward(self, x, t_embed, y_embed):
        for block in self.blocks.values():
            x = block(t_embed=t_embed, y_embed=y_embed, x=x)
        return self.last(x)
