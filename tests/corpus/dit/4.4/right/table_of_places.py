"""Positions from a table, layers by name, and another order of arguments."""


class DiffusionTransformer(nn.Module):
    def __init__(self, n_tokens, dim, depth, heads):
        super().__init__()
        self.table = nn.Embedding(n_tokens, dim)
        self.blocks = nn.ModuleDict(
            {f"layer{i}": DiffusionTransformerLayer(dim=dim, heads=heads) for i in range(depth)}
        )

    def forward(self, x, c):
        x = x + self.table(torch.arange(x.shape[1], device=x.device))[None]
        for block in self.blocks.values():
            x = block(x=x, c=c)
        return x
