"""Fixed positions: sines and cosines in a buffer with a dimension for the batch."""


class DiffusionTransformer(nn.Module):
    def __init__(self, depth, n_tokens, dim, **layer_kwargs):
        super().__init__()
        angles = torch.arange(n_tokens)[:, None] / 100 ** torch.linspace(0, 1, dim // 2)
        self.register_buffer("waves", torch.cat([angles.sin(), angles.cos()], -1)[None])
        self.layers = nn.ModuleList(
            [DiffusionTransformerLayer(dim, **layer_kwargs) for _ in range(depth)]
        )

    def forward(self, x, c):
        x = x + self.waves
        for layer in self.layers:
            x = layer(x, c)
        return x
