"""The waves are used without the MLP behind them.

Named: receive no gradient (time_embedder.1
Keeps: 1
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        c = self.time_embedder[0](t) + self.y_embedder(y)
        return self.depatchifier(self.transformer(self.patchifier(x), c))
