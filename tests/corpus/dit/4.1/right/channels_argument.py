"""A constructor of another edition: the channels are an argument in the middle."""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, c_in, dim):
        super().__init__()
        self.conv = nn.Conv2d(c_in, dim, patch_size, patch_size)
        self.num_tokens = (img_size // patch_size) * (img_size // patch_size)

    def forward(self, imgs):
        out = self.conv(imgs).permute(0, 2, 3, 1)
        return out.reshape(out.size(0), -1, out.size(-1))
