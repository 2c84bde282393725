"""Six dimensions by view, and a raw matrix by einsum in float64."""


class Patchifier(nn.Module):
    def __init__(self, img_size, patch_size, dim):
        super().__init__()
        self.p = patch_size
        self.n_tokens = (img_size // patch_size) ** 2
        self.weight = nn.Parameter(torch.randn(patch_size, patch_size, dim) / patch_size)
        self.bias = nn.Parameter(torch.zeros(dim))

    def forward(self, x):
        b, _, h, w = x.shape
        cut = x.contiguous().view(b, h // self.p, self.p, w // self.p, self.p).double()
        tokens = torch.einsum("bipjq,pqd->bijd", cut, self.weight.double()) + self.bias
        return tokens.view(b, self.n_tokens, -1).to(x.dtype)
