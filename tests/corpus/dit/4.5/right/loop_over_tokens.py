"""A loop that writes each token's patch into an image of zeros."""


class Depatchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim, final_dim, c_out):
        super().__init__()
        self.img_size, self.p, self.f = img_size, patch_size, final_dim
        self.norm = nn.LayerNorm(dim, elementwise_affine=False)
        self.to_pixels = nn.Linear(dim, final_dim * patch_size * patch_size)
        self.conv = nn.Conv2d(final_dim, c_out, 3, padding="same", padding_mode="replicate")

    def forward(self, tokens):
        p, pixels = self.p, self.to_pixels(self.norm(tokens))
        image = pixels.new_zeros(len(tokens), self.f, self.img_size, self.img_size)
        for k in range(tokens.shape[1]):
            row, column = divmod(k, self.img_size // p)
            patch = pixels[:, k].view(-1, self.f, p, p)
            image[:, :, row * p : (row + 1) * p, column * p : (column + 1) * p] = patch
        return self.conv(image)
