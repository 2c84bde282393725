"""The zeros in the constructor are forgotten.

Named: Weight and bias of the last linear map in ada_ln should both begin at zero
Keeps: 3
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.ada_ln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
