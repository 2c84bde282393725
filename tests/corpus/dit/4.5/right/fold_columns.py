"""torch's fold; columns of a patch come before its rows, and no channels between."""

from torch.nn.functional import fold


class Depatchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim, final_dim):
        super().__init__()
        self.size, self.p = img_size, patch_size
        self.net = nn.Sequential(nn.Linear(dim, 32), nn.ReLU(), nn.Linear(32, patch_size**2))

    def forward(self, x):
        columns = rearrange(self.net(x), "b n (q p) -> b (p q) n", p=self.p)
        return fold(columns, self.size, self.p, stride=self.p)
