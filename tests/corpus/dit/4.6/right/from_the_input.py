"""A velocity that starts from the input, and a table that is read by hand."""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder(t.reshape(-1)) + self.y_embedder.weight[y]
        return self.depatchifier(self.transformer(self.patchifier(x), c)) - x
