"""Each place has a linear map of its own, instead of one for all.

Named: one map for all patches
"""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.p, self.n_tokens = patch_size, (img_size // patch_size) ** 2
        self.maps = nn.ModuleList([nn.Linear(patch_size**2, dim) for _ in range(self.n_tokens)])

    def forward(self, x):
        patches = rearrange(x, "b 1 (i p) (j q) -> (i j) b (p q)", p=self.p, q=self.p)
        return torch.stack([self.maps[k](patches[k]) for k in range(self.n_tokens)], dim=1)
