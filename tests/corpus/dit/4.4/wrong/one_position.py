"""One vector for all places.

Named: a vector of its own for each place
"""


class DiffusionTransformer(DiffusionTransformer):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.positions = nn.Parameter(torch.randn(dim))
