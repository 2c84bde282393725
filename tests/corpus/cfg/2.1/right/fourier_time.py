"""The time as sines with fixed frequencies, kept as parameters that do not learn."""


class MLPConditionalVectorField(ConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__()
        self.frequencies = nn.Parameter(torch.tensor([1.0, 2.0, 4.0]), requires_grad=False)
        self.label = nn.Embedding(num_classes + 1, class_dim, padding_idx=num_classes)
        self.net = MLP([dim + 6 + class_dim, hidden_dim, hidden_dim, dim])

    def forward(self, x, t, y):
        angle = t[:, None] * self.frequencies
        return self.net(torch.cat([x, angle.sin(), angle.cos(), self.label(y)], dim=1))
