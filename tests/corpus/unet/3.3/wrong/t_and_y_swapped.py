"""t_embed and y_embed change places.

Named: change places
Keeps: 2
"""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        x = self.upsample(x)
        for layer in self.layers:
            x = layer(x, y_embed, t_embed)
        return x
