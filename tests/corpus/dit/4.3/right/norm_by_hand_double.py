"""Mean and variance by hand in float64, helper functions, keyword calls, gates last."""


def standard(x):
    x = x.double()
    mean = x.mean(dim=-1, keepdim=True)
    return (x - mean) / (x.var(dim=-1, unbiased=False, keepdim=True) + 1e-6).sqrt()


def steered(x, scale, shift):
    return (standard(x) * (1 + scale) + shift).to(x.dtype)


class DiffusionTransformerLayer(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.attention = MHA(dim=dim, heads=heads)
        self.mlp = MLP(dims=[dim, 4 * dim, dim], activation=nn.GELU)
        self.ada_ln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.ada_ln[-1].weight = nn.Parameter(torch.zeros(6 * dim, dim))
        self.ada_ln[-1].bias = nn.Parameter(torch.zeros(6 * dim))

    def forward(self, x, c):
        parts = rearrange(self.ada_ln(c), "b (six d) -> six b 1 d", six=6)
        x = x + parts[4] * self.attention(steered(x, scale=parts[0], shift=parts[1]))
        x = x + parts[5] * self.mlp(steered(x, shift=parts[3], scale=parts[2]))
        return x
