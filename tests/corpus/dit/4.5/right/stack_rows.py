"""Rows of patches by torch.cat, in float64, with groups of channels of one each."""


class Depatchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim, final_dim):
        super().__init__()
        self.rows, self.patch_size, self.final_dim = img_size // patch_size, patch_size, final_dim
        self.linear = nn.Linear(dim, final_dim * patch_size**2)
        self.group_norm = nn.GroupNorm(final_dim, final_dim)
        self.smooth = nn.Conv2d(final_dim, 1, kernel_size=3, padding=1)

    def forward(self, x):
        shape = (self.final_dim, self.patch_size, self.patch_size)
        patches = self.linear(x).reshape(-1, *shape)
        patches = self.group_norm(patches).double().view(x.shape[0], self.rows, self.rows, *shape)
        lines = [torch.cat(tuple(line.unbind(1)), dim=-1) for line in patches.unbind(1)]
        return self.smooth(torch.cat(lines, dim=-2).to(x.dtype))
