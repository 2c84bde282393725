"""The layers are never told y.

Named: not handed y_embed
Keeps: 2
"""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        x = self.upsample(x)
        for layer in self.layers:
            x = layer(x, t_embed, 0 * y_embed)
        return x
