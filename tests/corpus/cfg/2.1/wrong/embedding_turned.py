"""The table's two sizes are swapped: class_dim rows of num_classes + 1 numbers.

Named: expects dim + 1 + class_dim numbers a row
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__(dim, hidden_dim, class_dim, num_classes)
        self.label_embedding = nn.Embedding(class_dim, num_classes + 1)
