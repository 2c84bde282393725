"""Three maps behind the output's, a helper, and a softmax written out."""

from einops import einsum


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.out = nn.Linear(dim, dim)
        self.keys, self.values, self.queries = (nn.Linear(dim, dim) for _ in range(3))

    def split(self, y):
        return y.unflatten(-1, (self.heads, -1))

    def forward(self, x):
        q, k, v = self.split(self.queries(x)), self.split(self.keys(x)), self.split(self.values(x))
        scores = einsum(q, k, "b i h d, b j h d -> b h i j") / math.sqrt(q.shape[-1])
        weights = (scores - scores.amax(-1, keepdim=True)).exp()
        weights = weights / weights.sum(-1, keepdim=True)
        return self.out(einsum(weights, v, "b h i j, b j h d -> b i h d").flatten(2))
