"""All items are told the c of the first one.

Named: The c of one item changes other items
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = layer(x, c[:1].expand_as(c))
        return x
