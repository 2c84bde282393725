"""One adapter for t and y together, dropout, and a gain that begins at zero."""


class ResidualLayer(nn.Module):
    def __init__(self, channels, time_embed_dim, y_embed_dim):
        super().__init__()
        self.adapter = nn.Linear(time_embed_dim + y_embed_dim, channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.last = nn.Conv2d(channels, channels, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x, t_embed, y_embed):
        told = self.adapter(torch.cat([t_embed, y_embed], dim=1))
        hidden = self.first(x) + told.unflatten(1, (-1, 1, 1))
        return x + self.gain * self.last(self.drop(hidden.tanh()))
