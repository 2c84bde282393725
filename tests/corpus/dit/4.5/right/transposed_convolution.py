"""One transposed convolution from a token to its pixels, without any channels between."""


class Depatchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.rows, self.norm = img_size // patch_size, nn.LayerNorm(dim)
        self.paint = nn.ConvTranspose2d(dim, 1, patch_size, stride=patch_size)

    def forward(self, x):
        return self.paint(rearrange(self.norm(x), "b (i j) d -> b d i j", i=self.rows))
