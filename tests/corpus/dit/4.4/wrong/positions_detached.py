"""The positions are added without a gradient, so they never learn.

Named: receive no gradient (positions)
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions.data
        for layer in self.layers:
            x = layer(x, c)
        return x
