"""All items get the label of the first one.

Named: The y of one item changes the others
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder(t) + self.y_embedder(y[:1])
        return self.depatchifier(self.transformer(self.patchifier(x), c))
