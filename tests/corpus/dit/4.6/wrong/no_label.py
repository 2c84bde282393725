"""c is the time alone.

Named: The output does not change with y
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        return self.depatchifier(self.transformer(self.patchifier(x), self.time_embedder(t)))
