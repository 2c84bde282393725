"""RMSNorm, an MLP and einops' layer in one Sequential."""

from einops.layers.torch import Rearrange


class Depatchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim, final_dim):
        super().__init__()
        h = w = img_size // patch_size
        self.net = nn.Sequential(
            nn.RMSNorm(dim, elementwise_affine=False),
            MLP([dim, 4 * dim, final_dim * patch_size**2]),
            Rearrange(
                "b (h w) (f ph pw) -> b f (h ph) (w pw)",
                h=h, w=w, ph=patch_size, pw=patch_size, f=final_dim,
            ),
            nn.Conv2d(final_dim, 1, kernel_size=3, padding=1),
        )  # fmt: skip

    def forward(self, x):
        return self.net(x)
