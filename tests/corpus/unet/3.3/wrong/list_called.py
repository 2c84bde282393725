"""Calls the list of layers as if it were a layer.

Named: loop over it
Keeps: 2
"""


class Encoder(Encoder):
    def forward(self, x, t_embed, y_embed):
        return self.downsample(self.layers(x, t_embed, y_embed))
