"""torch's encoder layers with c as one more token, instead of the lab's classes."""


class MNISTDiffusionTransformer(nn.Module):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes):
        super().__init__()
        self.p, self.rows = patch_size, 32 // patch_size
        self.read = nn.Linear(patch_size**2, dim)
        self.places = nn.Parameter(0.02 * torch.randn(self.rows**2, dim))
        layer = nn.TransformerEncoderLayer(
            dim, heads, 2 * dim, dropout=0.0, batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers, enable_nested_tensor=False)
        self.time = nn.Sequential(nn.Linear(1, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.label = nn.Embedding(num_classes + 1, dim)
        self.write = nn.Linear(dim, patch_size**2)

    def forward(self, x, t, y):
        tokens = self.read(rearrange(x, "b 1 (i p) (j q) -> b (i j) (p q)", p=self.p, q=self.p))
        c = self.time(t[:, None]) + self.label(y)
        heard = self.encoder(torch.cat([c[:, None], tokens + self.places], dim=1))[:, 1:]
        sizes = {"i": self.rows, "p": self.p}
        return rearrange(self.write(heard), "b (i j) (p q) -> b 1 (i p) (j q)", **sizes)
