"""Queries from one map, keys and values from another."""

from torch.nn.functional import scaled_dot_product_attention


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.q, self.kv = nn.Linear(dim, dim), nn.Linear(dim, 2 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x):
        parts = (self.q(x), *self.kv(x).chunk(2, dim=-1))
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in parts)
        return self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
