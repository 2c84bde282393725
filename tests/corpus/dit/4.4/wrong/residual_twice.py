"""The tokens are added once more to what a layer returns.

Named: A layer's tokens are added once more
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = x + layer(x, c)
        return x
