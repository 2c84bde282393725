"""The positions are added at the end.

Named: The positions are added behind the layers
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        for layer in self.layers:
            x = layer(x, c)
        return x + self.positions
