"""The layers first, then up.

Named: so upsample comes first
Keeps: 2
"""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        return self.upsample(x)
