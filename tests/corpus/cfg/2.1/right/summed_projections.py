"""Each of x, t and y goes through a layer of its own, and the sum into a gated, normalised net."""


class MLPConditionalVectorField(ConditionalVectorField):
    def __init__(self, dim, hidden_dim, class_dim, num_classes):
        super().__init__()
        self.from_x = nn.Linear(dim, hidden_dim)
        self.from_t = nn.Linear(1, hidden_dim, bias=False)
        self.from_y = nn.Sequential(
            nn.Embedding(num_classes + 1, class_dim), nn.Linear(class_dim, hidden_dim, bias=False)
        )
        self.norm = nn.LayerNorm(hidden_dim)
        self.gate = nn.Parameter(torch.zeros(hidden_dim))
        self.block = MLP([hidden_dim, hidden_dim, hidden_dim], nn.Tanh)
        self.out = nn.Linear(hidden_dim, dim)

    def forward(self, x, t, y):
        h = self.from_x(x) + self.from_t(t[..., None]) + self.from_y(y)
        return self.out(h + self.gate * self.block(self.norm(h)))
