"""Recursion over the layers instead of a loop, keyword arguments, other names."""


def through(layers, x, t, y):
    if not layers:
        return x
    return through(layers[1:], layers[0](x=x, t_embed=t, y_embed=y), t, y)


class Encoder(nn.Module):
    def __init__(self, c_in, c_out, depth, t_dim, y_dim):
        super().__init__()
        self.stack = nn.ModuleList(ResidualLayer(c_in, t_dim, y_dim) for _ in range(depth))
        self.smaller = nn.Conv2d(c_in, c_out, 4, stride=2, padding=1)

    def forward(self, x, t, y):
        return self.smaller(through(self.stack, x, t, y))


class Decoder(nn.Module):
    def __init__(self, c_in, c_out, depth, t_dim, y_dim):
        super().__init__()
        self.larger = nn.ConvTranspose2d(c_in, c_out, 4, stride=2, padding=1)
        self.stack = nn.ModuleList(ResidualLayer(c_out, t_dim, y_dim) for _ in range(depth))

    def forward(self, x, t, y):
        return through(self.stack, self.larger(x), t, y)
