"""A loop over heads with raw matrices; each head's answer is mapped and added."""


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        d = dim // heads
        self.q = nn.Parameter(torch.randn(heads, dim, d) / dim**0.5)
        self.k = nn.Parameter(torch.randn(heads, dim, d) / dim**0.5)
        self.v = nn.Parameter(torch.randn(heads, dim, d) / dim**0.5)
        self.o = nn.Parameter(torch.randn(heads, d, dim) / dim**0.5)

    def forward(self, x):
        total = torch.zeros_like(x)
        for q, k, v, o in zip(self.q, self.k, self.v, self.o, strict=True):
            scores = (x @ q) @ (x @ k).mT / q.shape[-1] ** 0.5
            total = total + scores.softmax(-1) @ (x @ v) @ o
        return total
