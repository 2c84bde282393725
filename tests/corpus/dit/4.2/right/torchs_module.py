"""torch's own module, called by keyword."""


class MHA(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.inner = nn.MultiheadAttention(embed_dim=dim, num_heads=heads, batch_first=True)

    def forward(self, x):
        heard, _ = self.inner(query=x, key=x, value=x, need_weights=False)
        return heard
