"""c is averaged over the batch.

Named: The c of one item changes other items
Keeps: 2
"""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def forward(self, x, c):
        return super().forward(x, c.mean(dim=0, keepdim=True).expand_as(c))
