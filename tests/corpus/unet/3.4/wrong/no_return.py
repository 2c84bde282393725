"""Forgets to return.

Named: yours is None
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        super().forward(x, t, y)
