"""RMSNorm, also in front of the map, and all six parts unsqueezed at once."""


class DiffusionTransformerLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.RMSNorm(dim, elementwise_affine=False)
        self.norm2 = nn.RMSNorm(dim, elementwise_affine=False)
        self.ada_ln = nn.Sequential(
            nn.RMSNorm(dim, elementwise_affine=False), nn.Linear(dim, dim * 6)
        )
        nn.init.zeros_(self.ada_ln[1].weight)
        nn.init.zeros_(self.ada_ln[1].bias)
        self.attn, self.ff = MHA(dim, heads), MLP([dim, 4 * dim, dim])

    def forward(self, x, c):
        scale, bias, gate, ff_scale, ff_bias, ff_gate = self.ada_ln(c).unsqueeze(1).chunk(6, -1)
        x = x + gate * self.attn(self.norm1(x) * (1 + scale) + bias)
        return x + ff_gate * self.ff(self.norm2(x) * (1 + ff_scale) + ff_bias)
