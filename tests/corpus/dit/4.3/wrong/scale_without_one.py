"""Modulated with x scale + shift: the 1 is missing.

Named: modulate with x (1 + scale) + shift
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = (part[:, None] for part in self.ada_ln(c).chunk(6, dim=-1))
        x = x + g1 * self.attention(self.norm1(x) * a1 + b1)
        return x + g2 * self.mlp(self.norm2(x) * a2 + b2)
