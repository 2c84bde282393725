"""One linear map of the whole image to all tokens at once.

Named: each token should see its own patch alone
"""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.n_tokens, self.dim = (img_size // patch_size) ** 2, dim
        self.linear = nn.Linear(img_size**2, self.n_tokens * dim)

    def forward(self, x):
        return self.linear(x.flatten(1)).view(len(x), self.n_tokens, self.dim)
