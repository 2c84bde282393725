"""Every image is told the first label.

Named: does not change with y
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        return super().forward(x, t, torch.zeros_like(y))
