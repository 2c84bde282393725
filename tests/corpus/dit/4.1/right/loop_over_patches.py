"""A loop over rows and columns, one patch after the other."""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.patch_size = patch_size
        self.rows = img_size // patch_size
        self.n_tokens = self.rows**2
        self.proj = nn.Linear(patch_size * patch_size, dim)

    def forward(self, x):
        p, tokens = self.patch_size, []
        for i in range(self.rows):
            for j in range(self.rows):
                patch = x[:, :, i * p : (i + 1) * p, j * p : (j + 1) * p]
                tokens.append(self.proj(patch.reshape(x.shape[0], -1)))
        return torch.stack(tokens, dim=1)
