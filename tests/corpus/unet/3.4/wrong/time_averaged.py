"""The times of a batch are averaged.

Named: influence each other
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        return super().forward(x, t.mean().expand(len(x)), y)
