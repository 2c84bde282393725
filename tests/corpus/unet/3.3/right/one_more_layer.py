"""A further residual layer behind the step down; nearest neighbours by repeating."""


class Encoder(Encoder):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__(channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim)
        self.behind = ResidualLayer(channels_out, t_embed_dim, y_embed_dim)

    def forward(self, x, t_embed, y_embed):
        x = super().forward(x, t_embed, y_embed)
        return self.behind(x, t_embed, y_embed)


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        x = x.repeat_interleave(2, dim=-1).repeat_interleave(2, dim=-2)
        x = self.upsample[1](x)
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        return x
