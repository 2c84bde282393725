"""Only the first layer is told c.

Named: is not told c
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for i, layer in enumerate(self.layers):
            x = layer(x, c if i == 0 else torch.zeros_like(c))
        return x
