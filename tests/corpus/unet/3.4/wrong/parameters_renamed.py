"""The constructor leaves out parameters that it was given.

Named: others call it by their name
"""


class MNISTUNet(MNISTUNet):
    def __init__(self, channels, num_residual_layers, t_embed_dim, y_embed_dim):
        super().__init__(channels, num_residual_layers, t_embed_dim, y_embed_dim)
