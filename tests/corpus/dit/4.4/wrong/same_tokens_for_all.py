"""Every layer is given the tokens of the beginning.

Named: Every layer is given the same tokens
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            out = layer(x, c)
        return out
