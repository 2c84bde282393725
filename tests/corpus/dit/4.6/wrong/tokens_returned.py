"""The depatchifier is forgotten.

Named: These are still tokens
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder(t) + self.y_embedder(y)
        return self.transformer(self.patchifier(x), c)
