"""Every image is told t = 0.

Named: does not change with t
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        return super().forward(x, torch.zeros_like(t), y)
