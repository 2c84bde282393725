"""Only the weight begins at zero.

Named: its bias is not
Keeps: 3
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.ada_ln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        nn.init.zeros_(self.ada_ln[1].weight)
