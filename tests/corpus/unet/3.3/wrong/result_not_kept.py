"""Each layer is handed the x from before the loop.

Named: residual layers return is not used
Keeps: 2
"""


class Encoder(Encoder):
    def forward(self, x, t_embed, y_embed):
        for layer in self.layers:
            layer(x, t_embed, y_embed)
        return self.downsample(x)
