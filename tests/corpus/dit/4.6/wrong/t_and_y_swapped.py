"""t is looked up in the table, and y goes to the Fourier encoder.

Named: Are t and y in each other's place?
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.y_embedder(t) + self.time_embedder(y)
        return self.depatchifier(self.transformer(self.patchifier(x), c))
