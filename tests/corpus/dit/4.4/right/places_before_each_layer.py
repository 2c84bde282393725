"""Positions again before each layer, from zero."""


class DiffusionTransformer(DiffusionTransformer):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.positions = nn.Parameter(torch.zeros(1, n_tokens, dim))

    def forward(self, x, c):
        for layer in self.layers:
            x = layer(x + self.positions, c)
        return x
