"""The gate is 1 + gate, as a scale is, so it begins open.

Named: not (1 + gate)
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = (part[:, None] for part in self.ada_ln(c).chunk(6, dim=-1))
        x = x + (1 + g1) * self.attention(self.norm1(x) * (1 + a1) + b1)
        return x + (1 + g2) * self.mlp(self.norm2(x) * (1 + a2) + b2)
