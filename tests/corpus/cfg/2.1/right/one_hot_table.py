"""The table as a matrix that a one-hot vector picks a row of; ∅ is its last row."""


class MLPConditionalVectorField(ConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__()
        self.num_labels = num_classes + 1
        self.table = nn.Parameter(torch.randn(num_classes + 1, class_dim))
        self.net = MLP([dim + 1 + class_dim, hidden_dim, hidden_dim, dim], nn.GELU)

    def forward(self, x, t, y):
        one_hot = nn.functional.one_hot(y, self.num_labels).to(x.dtype)
        return self.net(torch.cat((x, t.view(-1, 1), one_hot @ self.table), -1))
