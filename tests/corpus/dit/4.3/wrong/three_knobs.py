"""Three knobs, which both branches share.

Named: ada_ln makes three parts
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.ada_ln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 3 * dim))
        nn.init.zeros_(self.ada_ln[1].weight)
        nn.init.zeros_(self.ada_ln[1].bias)

    def forward(self, x, c):
        scale, shift, gate = self.ada_ln(c).chunk(3, dim=-1)
        x = x + gate[:, None] * self.attention(modulate(self.norm1(x), scale, shift))
        return x + gate[:, None] * self.mlp(modulate(self.norm2(x), scale, shift))
