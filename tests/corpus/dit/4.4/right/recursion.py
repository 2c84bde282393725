"""A function that calls itself; layers from behind, positions by normal_."""


class DiffusionTransformer(nn.Module):
    def __init__(self, depth, n_tokens, dim, num_heads):
        super().__init__()
        self.pos = nn.Parameter(torch.empty(n_tokens, dim).normal_(std=0.02))
        self.stack = nn.ModuleList()
        while len(self.stack) < depth:
            self.stack.append(DiffusionTransformerLayer(dim, num_heads))

    def walk(self, x, c, index):
        if index < 0:
            return x
        return self.walk(self.stack[index](x, c), c, index - 1)

    def forward(self, tokens, condition):
        b = tokens.shape[0]
        return self.walk(tokens + self.pos.expand(b, -1, -1), condition, len(self.stack) - 1)
