"""[layer] * depth is one layer, depth times.

Named: ([layer] * depth repeats one object.)
"""


class DiffusionTransformer(DiffusionTransformer):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__(depth, n_tokens, dim, heads=heads)
        self.layers = nn.ModuleList([DiffusionTransformerLayer(dim, heads)] * depth)
