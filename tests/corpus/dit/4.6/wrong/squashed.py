"""The velocity is squashed to a small range, so the network cannot learn.

Shown: of the loss is left
Keeps: 2
"""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def forward(self, x, t, y):
        return 0.05 * super().forward(x, t, y).tanh()
