"""The layers are kept in a list of Python, where no optimizer finds them.

Named: keep them in an nn.ModuleList
"""


class DiffusionTransformer(nn.Module):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__()
        self.positions = nn.Parameter(0.5 * torch.randn(n_tokens, dim))
        self.layers = [DiffusionTransformerLayer(dim, heads) for _ in range(depth)]

    def forward(self, x, c):
        x = x + self.positions
        for layer in self.layers:
            x = layer(x, c)
        return x
