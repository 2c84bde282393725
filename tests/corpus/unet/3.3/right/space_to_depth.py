"""Folds 2×2 pixels into channels and back; no strided convolution at all."""

from einops import rearrange


class Encoder(nn.Module):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__()
        self.layers = nn.ModuleList(
            [
                ResidualLayer(channels_in, t_embed_dim, y_embed_dim)
                for _ in range(num_residual_layers)
            ]
        )
        self.fold = nn.Conv2d(4 * channels_in, channels_out, 1)

    def forward(self, x, t_embed, y_embed):
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        x = rearrange(x, "b c (h p) (w q) -> b (c p q) h w", p=2, q=2)
        return self.fold(x)


class Decoder(nn.Module):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__()
        self.unfold = nn.Conv2d(channels_in, 4 * channels_out, 3, padding=1)
        self.layers = nn.ModuleList(
            [
                ResidualLayer(channels_out, t_embed_dim, y_embed_dim)
                for _ in range(num_residual_layers)
            ]
        )

    def forward(self, x, t_embed, y_embed):
        x = nn.functional.pixel_shuffle(self.unfold(x), 2)
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        return x
