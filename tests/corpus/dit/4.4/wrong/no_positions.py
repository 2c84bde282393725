"""The positions are not added.

Named: Add the positions
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        for layer in self.layers:
            x = layer(x, c)
        return x
