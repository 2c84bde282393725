"""The shift is added to what has passed the gate.

Named: only the two gates should: scale and shift act inside a branch
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = (part[:, None] for part in self.ada_ln(c).chunk(6, dim=-1))
        x = x + g1 * self.attention(self.norm1(x) * (1 + a1)) + b1
        return x + g2 * self.mlp(self.norm2(x) * (1 + a2)) + b2
