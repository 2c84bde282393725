"""The dimension of the channel is taken away.

Named: The dimension of the channel is lost
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        return super().forward(x, t, y)[:, 0]
