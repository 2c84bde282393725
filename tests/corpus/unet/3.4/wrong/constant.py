"""Returns zeros in the shape of x.

Named: does not change with t
"""


class MNISTUNet(MNISTUNet):
    def forward(self, x, t, y):
        return torch.zeros_like(x)
