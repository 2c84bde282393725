"""The branches are added to normalised tokens.

Named: A new layer returns x normalised
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        x = self.norm1(x)
        x = x + g1[:, None] * self.attention(modulate(x, a1, b1))
        x = self.norm2(x)
        return x + g2[:, None] * self.mlp(modulate(x, a2, b2))
