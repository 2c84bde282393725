"""Without a row for ∅, the label is clamped to the last class.

Named: The null label is answered like class 2
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__(dim, hidden_dim, class_dim, num_classes)
        self.label_embedding = nn.Embedding(num_classes, class_dim)

    def forward(self, x, t, y):
        label = self.label_embedding(y.clamp(max=self.label_embedding.num_embeddings - 1))
        return self.net(torch.cat([x, t[:, None], label], dim=-1))
