"""The first gate is used for both branches.

Named: opens a branch when all others are zero
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, _ = self.ada_ln(c).chunk(6, dim=-1)
        x = x + g1[:, None] * self.attention(modulate(self.norm1(x), a1, b1))
        return x + g1[:, None] * self.mlp(modulate(self.norm2(x), a2, b2))
