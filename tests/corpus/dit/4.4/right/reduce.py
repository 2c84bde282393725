"""functools.reduce instead of a loop; positions begin at zero."""

from functools import reduce


class DiffusionTransformer(DiffusionTransformer):
    def __init__(self, depth, n_tokens, dim, **layer_kwargs):
        super().__init__(depth, n_tokens, dim, **layer_kwargs)
        self.positions = nn.Parameter(torch.zeros(n_tokens, dim))

    def forward(self, x, c):
        return reduce(lambda tokens, layer: layer(tokens, c), self.layers, x + self.positions)
