"""A map for each of the six, of which only the gates begin at zero; affine norms."""


class DiffusionTransformerLayer(nn.Module):
    def __init__(self, n_tokens, dim, num_heads):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.attn = nn.MultiheadAttention(dim, num_heads, batch_first=True)
        self.mlp = MLP([dim, dim, dim], nn.GELU)
        self.maps = nn.ModuleList(nn.Linear(dim, dim) for _ in range(6))
        for gate in (self.maps[0], self.maps[3]):
            nn.init.zeros_(gate.weight)
            nn.init.zeros_(gate.bias)

    def forward(self, x, c):
        gate1, shift1, scale1, gate2, shift2, scale2 = (m(c)[:, None] for m in self.maps)
        seen = self.norms[0](x) * (1 + scale1) + shift1
        x = x + gate1 * self.attn(seen, seen, seen)[0]
        return x + gate2 * self.mlp(self.norms[1](x) * (1 + scale2) + shift2)
