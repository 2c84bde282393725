"""Sizes are read from the image; the weights are drawn from a generator of their own."""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.patch_size = patch_size
        self.linear = nn.Linear(patch_size**2, dim)
        stream = torch.Generator().manual_seed(7)
        with torch.no_grad():
            self.linear.weight.normal_(0, 1 / patch_size, generator=stream)
            self.linear.bias.zero_()

    def forward(self, x):
        p = self.patch_size
        windows = x.squeeze(1).unfold(1, p, p).unfold(2, p, p)
        return self.linear(windows.flatten(-2)).flatten(1, 2)
