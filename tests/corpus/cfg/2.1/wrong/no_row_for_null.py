"""The table has num_classes rows: none for ∅.

Named: the embedding needs num_classes + 1 rows
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__(dim, hidden_dim, class_dim, num_classes)
        self.label_embedding = nn.Embedding(num_classes, class_dim)
