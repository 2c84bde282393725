"""The branches are added without their gates.

Named: a branch has no gate
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, _, a2, b2, _ = self.ada_ln(c).chunk(6, dim=-1)
        x = x + self.attention(modulate(self.norm1(x), a1, b1))
        return x + self.mlp(modulate(self.norm2(x), a2, b2))
