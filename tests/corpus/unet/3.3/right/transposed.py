"""Goes up by a transposed convolution, and through its layers by `reversed`."""


class Decoder(nn.Module):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__()
        self.up = nn.ConvTranspose2d(channels_in, channels_out, kernel_size=2, stride=2)
        self.layers = nn.ModuleList(
            [
                ResidualLayer(channels_out, t_embed_dim, y_embed_dim)
                for _ in range(num_residual_layers)
            ]
        )

    def forward(self, x, t_embed, y_embed):
        x = self.up(x)
        for layer in reversed(self.layers):
            x = layer.forward(x, t_embed, y_embed)
        return x
