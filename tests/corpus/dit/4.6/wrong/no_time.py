"""c is the label alone.

Named: The output does not change with t
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        return self.depatchifier(self.transformer(self.patchifier(x), self.y_embedder(y)))
