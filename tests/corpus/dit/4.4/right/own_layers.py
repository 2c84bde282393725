"""Layers of a class of its own, whose gates begin at zero."""


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(dim, heads, batch_first=True)
        self.mlp = MLP([dim, 2 * dim, dim])
        self.knobs = nn.Linear(dim, 6 * dim)
        nn.init.zeros_(self.knobs.weight)
        nn.init.zeros_(self.knobs.bias)

    def forward(self, x, c):
        a, b, g, d, e, f = self.knobs(c)[:, None].chunk(6, dim=-1)
        seen = nn.functional.layer_norm(x, x.shape[-1:]) * (1 + a) + b
        x = x + g * self.attn(seen, seen, seen, need_weights=False)[0]
        return x + f * self.mlp(nn.functional.layer_norm(x, x.shape[-1:]) * (1 + d) + e)


class DiffusionTransformer(nn.Module):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, n_tokens, dim) / 2)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))

    def forward(self, x, c):
        h = torch.add(x, self.positions)
        for block in self.blocks:
            h = block(h, c)
        return h
