"""There is no return.

Named: Is there a return?
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = layer(x, c)
