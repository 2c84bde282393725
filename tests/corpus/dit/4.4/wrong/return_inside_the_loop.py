"""The return is indented too far.

Named: 1 of
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = layer(x, c)
            return x
