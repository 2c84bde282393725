"""x, t and y are three tokens; the bias of the keys has no gradient through softmax."""


class MLPConditionalVectorField(ConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__()
        self.place = nn.Linear(dim, hidden_dim)
        self.time = nn.Linear(1, hidden_dim)
        self.label = nn.Embedding(num_classes + 1, hidden_dim)
        self.q = nn.Linear(hidden_dim, hidden_dim)
        self.k = nn.Linear(hidden_dim, hidden_dim)
        self.v = nn.Linear(hidden_dim, hidden_dim)
        self.head = MLP([hidden_dim, hidden_dim, dim])

    def forward(self, x, t, y):
        tokens = torch.stack([self.place(x), self.time(t[:, None]), self.label(y)], dim=1)
        q, k, v = self.q(tokens), self.k(tokens), self.v(tokens)
        weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
        return self.head((tokens + weights @ v).mean(dim=1))
