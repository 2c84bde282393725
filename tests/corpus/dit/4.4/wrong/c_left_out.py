"""The layers are given zeros in the place of c.

Named: The output does not change with c
"""


class DiffusionTransformer(DiffusionTransformer):
    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = layer(x, torch.zeros_like(c))
        return x
