"""Both branches see the tokens as they came in.

Named: Both branches see the same x
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        heard = g1[:, None] * self.attention(modulate(self.norm1(x), a1, b1))
        thought = g2[:, None] * self.mlp(modulate(self.norm2(x), a2, b2))
        return x + heard + thought
