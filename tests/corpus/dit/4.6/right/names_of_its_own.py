"""Two embeddings added as they are, keyword calls, and names of its own."""


class MNISTDiffusionTransformer(ConditionalVectorField):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes):
        super().__init__()
        self.time, self.labels = FourierEncoder(dim), nn.Embedding(num_classes + 1, dim)
        self.cut = Patchifier(img_size=32, patch_size=patch_size, dim=dim)
        self.dit = DiffusionTransformer(
            depth=num_layers, n_tokens=(32 // patch_size) ** 2, dim=dim, heads=heads
        )
        self.paste = Depatchifier(img_size=32, patch_size=patch_size, dim=dim, final_dim=4)

    def forward(self, x, t, y):
        return self.paste(self.dit(self.cut(x), c=self.time(t) + self.labels(y)))
