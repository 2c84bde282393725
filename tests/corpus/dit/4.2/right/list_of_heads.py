"""A module for each head, with three small maps; the answers are concatenated."""


class Head(nn.Module):
    def __init__(self, dim, head_size):
        super().__init__()
        self.query = nn.Linear(dim, head_size, bias=False)
        self.key = nn.Linear(dim, head_size, bias=False)
        self.value = nn.Linear(dim, head_size, bias=False)

    def forward(self, x):
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(1, 2) * k.size(-1) ** -0.5
        return nn.functional.softmax(scores, dim=-1) @ v


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = nn.ModuleList([Head(dim, dim // heads) for _ in range(heads)])
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        return self.proj(torch.cat([head(x) for head in self.heads], dim=-1))
