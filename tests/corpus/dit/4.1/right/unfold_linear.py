"""torch's unfold and a linear map without a bias; n_tokens is a tensor."""

from torch.nn.functional import unfold


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.size = patch_size
        self.n_tokens = torch.tensor((img_size // patch_size) ** 2)
        self.linear = nn.Linear(patch_size**2, dim, bias=False)

    def forward(self, x):
        columns = unfold(x, kernel_size=self.size, stride=self.size)
        return self.linear(columns.transpose(1, 2))
