"""Heads are folded into the batch, and the products are einsums."""

from einops.layers.torch import Rearrange


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.scale = (dim // heads) ** -0.5
        self.qkv, self.out = nn.Linear(dim, dim * 3), nn.Linear(dim, dim)
        self.fold_heads = Rearrange("b n (h d) -> (b h) n d", h=heads)
        self.unfold_heads = Rearrange("(b h) n d -> b n (h d)", h=heads)

    def forward(self, x):
        q, k, v = map(self.fold_heads, self.qkv(x).chunk(3, dim=-1))
        weights = torch.softmax(torch.einsum("bid,bjd->bij", q, k) * self.scale, dim=-1)
        return self.out(self.unfold_heads(torch.einsum("bij,bjd->bid", weights, v)))
