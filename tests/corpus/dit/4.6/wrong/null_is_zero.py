"""∅ is taken for the digit 0.

Named: every class has a row of its own in the table
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        y = y % (self.y_embedder.num_embeddings - 1)
        return super().forward(x, t, y)
