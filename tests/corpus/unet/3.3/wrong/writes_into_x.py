"""Works in place on the x that it was given.

Named: writes into x
Keeps: 2
"""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        x.mul_(2)
        x = self.upsample(x)
        for layer in self.layers:
            x = layer(x, t_embed, y_embed)
        return x
