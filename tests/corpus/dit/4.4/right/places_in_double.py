"""Positions are kept with their transpose and added item by item, in float64."""


class DiffusionTransformer(nn.Module):
    def __init__(self, depth, n_tokens, dim, **layer_kwargs):
        super().__init__()
        self.places = nn.Parameter(torch.rand(dim, n_tokens) - 0.5)
        for i in range(depth):
            self.add_module(f"layer_{i}", DiffusionTransformerLayer(dim, **layer_kwargs))
        self.depth = depth

    def forward(self, x, c):
        placed = [item.double() + self.places.T for item in x]
        out = torch.stack(placed).to(x.dtype)
        for i in range(self.depth):
            out = getattr(self, f"layer_{i}")(out, c)
        return out
