"""Rearranges first, runs through a patch column by column, and puts a GELU and a norm behind."""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.p, self.n_tokens = patch_size, (img_size // patch_size) ** 2
        self.net = nn.Sequential(nn.Linear(patch_size**2, dim), nn.GELU(), nn.LayerNorm(dim))

    def forward(self, x):
        patches = rearrange(x, "b c (i p) (j q) -> b (i j) (c q p)", p=self.p, q=self.p)
        return self.net(patches)
