"""c is made from both embeddings side by side."""


class MNISTDiffusionTransformer(MNISTDiffusionTransformer):
    def __init__(self, patch_size, num_layers, dim, heads, num_classes):
        super().__init__(patch_size, num_layers, dim, heads, num_classes)
        self.join = MLP([2 * dim, dim, dim])

    def forward(self, x, t, y):
        c = self.join(torch.cat([self.y_embedder(y), self.time_embedder(t)], dim=-1))
        return self.depatchifier(self.transformer(self.patchifier(x), c))
