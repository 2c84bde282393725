"""A constant of the right shape.

Named: reaches no token
"""


class Patchifier(Patchifier):
    def forward(self, x):
        return torch.zeros(len(x), self.n_tokens, self.embed.out_channels)
