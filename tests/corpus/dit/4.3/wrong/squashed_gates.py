"""The gates go through a tanh.

Named: without a tanh or a sigmoid
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        x = x + g1[:, None].tanh() * self.attention(modulate(self.norm1(x), a1, b1))
        return x + g2[:, None].tanh() * self.mlp(modulate(self.norm2(x), a2, b2))
