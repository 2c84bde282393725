"""The second norm takes tokens and numbers together.

Named: Norms and the MLP look at one token at a time
Keeps: 2
"""

from torch.nn.functional import layer_norm


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        a1, b1, g1, a2, b2, g2 = self.ada_ln(c).chunk(6, dim=-1)
        x = x + g1[:, None] * self.attention(modulate(self.norm1(x), a1, b1))
        return x + g2[:, None] * self.mlp(modulate(layer_norm(x, x.shape[1:]), a2, b2))
