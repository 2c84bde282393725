"""view and permute, channels last inside a token; a smoothing map that begins at zero."""


class Depatchifier(Depatchifier):
    def __init__(self, img_size, patch_size, dim, final_dim):
        super().__init__(img_size, patch_size, dim, final_dim)
        nn.init.zeros_(self.smooth.weight)
        nn.init.zeros_(self.smooth.bias)

    def forward(self, x):
        b, r, p = x.shape[0], self.rows, self.patch_size
        pixels = self.pixels(self.norm(x)).view(b, r, r, p, p, -1)
        image = pixels.permute(0, 5, 1, 3, 2, 4).reshape(b, -1, r * p, r * p)
        return self.smooth(image)
