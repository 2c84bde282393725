"""One small network for each label, chosen with masks, added to a linear field of x and t."""


class MLPConditionalVectorField(ConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__()
        self.shared = nn.Linear(dim + 1, dim)
        self.experts = nn.ModuleList(
            MLP([dim + 1, hidden_dim, dim]) for _ in range(num_classes + 1)
        )

    def forward(self, x, t, y):
        known = torch.column_stack([x, t])
        out = self.shared(known)
        for label, expert in enumerate(self.experts):
            out = torch.where((y == label)[:, None], out + expert(known), out)
        return out
