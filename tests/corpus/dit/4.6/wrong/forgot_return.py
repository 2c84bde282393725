"""There is no return.

Named: Is there a return?
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder(t) + self.y_embedder(y)
        self.depatchifier(self.transformer(self.patchifier(x), c))
