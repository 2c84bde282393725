"""The six parts side by side for each number, a deeper map from c, and addcmul."""


class DiffusionTransformerLayer(DiffusionTransformerLayer):
    def __init__(self, dim, heads):
        super().__init__(dim, heads)
        self.ada_ln = MLP([dim, dim, 6 * dim])
        self.ada_ln[-1].weight.data.zero_()
        self.ada_ln[-1].bias.data.zero_()

    def forward(self, x, c):
        a, b, g, d, e, f = self.ada_ln(c).unflatten(-1, (-1, 6)).unbind(-1)
        x = torch.addcmul(x, g[:, None], self.attention(modulate(self.norm1(x), a, b)))
        return torch.addcmul(x, f[:, None], self.mlp(modulate(self.norm2(x), d, e)))
