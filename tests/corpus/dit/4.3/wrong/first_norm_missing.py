"""The attention sees tokens that are not normalised.

Named: is one of the normalisations missing?
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        x = x + g1[:, None] * self.attention(modulate(x, a1, b1))
        return x + g2[:, None] * self.mlp(modulate(self.norm2(x), a2, b2))
