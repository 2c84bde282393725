"""The loop begins at the second layer.

Named: layers are called
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for i in range(1, len(self.layers)):
            x = self.layers[i](x, c)
        return x
