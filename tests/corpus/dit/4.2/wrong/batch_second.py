"""torch's module with its default layout, tokens first: images ask each other.

Named: Your tokens ask the tokens of other images
"""


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(dim, heads)

    def forward(self, x):
        return self.inner(x, x, x)[0]
