"""The positions are multiplied with the tokens.

Named: are the positions multiplied?
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x * self.positions
        for layer in self.layers:
            x = layer(x, c)
        return x
