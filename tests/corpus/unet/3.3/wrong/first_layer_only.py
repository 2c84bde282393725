"""Only the first of the layers is called.

Named: residual layers are never called
Keeps: 2
"""


class Encoder(Encoder):
    def forward(self, x, t_embed, y_embed):
        x = self.layers[0](x, t_embed, y_embed)
        return self.downsample(x)
