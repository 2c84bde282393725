"""A map of three parts for each branch, torch's fused attention inside, norms as functions."""

from torch.nn.functional import layer_norm, scaled_dot_product_attention


class DiffusionTransformerLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.dim, self.heads = dim, heads
        self.qkv, self.out = nn.Linear(dim, 3 * dim, bias=False), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.steer1, self.steer2 = nn.Linear(dim, 3 * dim), nn.Linear(dim, 3 * dim)
        for parameter in (*self.steer1.parameters(), *self.steer2.parameters()):
            nn.init.constant_(parameter, 0.0)

    def attend(self, x):
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=-1)
        )
        return self.out(scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2))

    def forward(self, x, c):
        for steer, branch in ((self.steer1, self.attend), (self.steer2, self.mlp)):
            shift, scale, gate = steer(c).view(len(c), 1, 3, self.dim).unbind(2)
            x = x + branch(layer_norm(x, (self.dim,)) * (1 + scale) + shift) * gate
        return x
