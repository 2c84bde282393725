"""Raw matrices for each head, and the division by √d is forgotten.

Named: The scores are not divided by √d
Keeps: 2
"""


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        size = dim // heads
        self.q = nn.Parameter(torch.randn(heads, dim, size) / dim**0.5)
        self.k = nn.Parameter(torch.randn(heads, dim, size) / dim**0.5)
        self.v = nn.Parameter(torch.randn(heads, dim, size) / dim**0.5)
        self.o = nn.Parameter(torch.randn(heads, size, dim) / dim**0.5)

    def forward(self, x):
        total = 0
        for q, k, v, o in zip(self.q, self.k, self.v, self.o, strict=True):
            total = total + ((x @ q) @ (x @ k).mT).softmax(-1) @ (x @ v) @ o
        return total
