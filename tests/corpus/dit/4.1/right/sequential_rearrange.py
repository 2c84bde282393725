"""Convolution and layout in one Sequential, and no attribute n_tokens."""

from einops.layers.torch import Rearrange


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        assert img_size % patch_size == 0
        self.net = nn.Sequential(
            nn.Conv2d(1, dim, kernel_size=patch_size, stride=patch_size),
            Rearrange("b d h w -> b (h w) d"),
        )

    def forward(self, x):
        return self.net(x)
