"""Builds one residual layer, whatever was asked for.

Named: yours has 1
Keeps: 2
"""


class Encoder(Encoder):
    def __init__(self, channels_in, channels_out, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__(channels_in, channels_out, 1, t_embed_dim, y_embed_dim)
