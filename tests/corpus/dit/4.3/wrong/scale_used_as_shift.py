"""One part is used twice, as scale and as shift, and another never.

Named: one changes nothing
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, _, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        x = x + g1[:, None] * self.attention(modulate(self.norm1(x), a1, a1))
        return x + g2[:, None] * self.mlp(modulate(self.norm2(x), a2, b2))
