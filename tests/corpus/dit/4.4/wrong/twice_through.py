"""The tokens go through the stack two times.

Named: times in all; each once
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in [*self.layers, *self.layers]:
            x = layer(x, c)
        return x
