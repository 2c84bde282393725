"""The time gets a dimension too many, so c is b b dim.

Named: c is one vector for each item
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder(t)[:, None] + self.y_embedder(y)
        return self.depatchifier(self.transformer(self.patchifier(x), c))
