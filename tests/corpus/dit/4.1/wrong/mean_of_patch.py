"""Each patch is averaged, and its mean is mapped.

Named: is each averaged before the map?
"""

from torch.nn.functional import avg_pool2d


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.patch_size, self.n_tokens = patch_size, (img_size // patch_size) ** 2
        self.linear = nn.Linear(1, dim)

    def forward(self, x):
        means = avg_pool2d(x, self.patch_size)
        return self.linear(means.flatten(2).transpose(1, 2))
