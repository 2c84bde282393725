"""Step by step; t is brought to b 1 1 1 and back, n_tokens comes from the patchifier."""


class MNISTDiffusionTransformer(ConditionalVectorField):
    def __init__(self, patch_size, num_layers, dim, num_heads, num_classes=10):
        super().__init__()
        self.patchifier = Patchifier(32, patch_size, dim)
        self.transformer = DiffusionTransformer(
            num_layers, self.patchifier.n_tokens, dim, heads=num_heads
        )
        self.depatchifier = Depatchifier(32, patch_size, dim, 6)
        self.fourier = FourierEncoder(dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.y_embedder = nn.Embedding(num_embeddings=num_classes + 1, embedding_dim=dim)

    def embed(self, t, y):
        time = self.mlp(self.fourier(t.view(-1, 1, 1, 1).flatten()))
        label = self.y_embedder(y.long())
        return torch.stack([time, label]).sum(dim=0)

    def forward(self, x, t, y):
        tokens = self.patchifier(x)
        tokens = self.transformer(tokens, self.embed(t, y))
        velocity = self.depatchifier(tokens)
        return velocity.view_as(x)
