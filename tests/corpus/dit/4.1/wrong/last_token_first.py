"""The sequence is turned round.

Named: Patch 0 became token
"""


class Patchifier(Patchifier):
    def forward(self, x):
        tokens = self.embed(x).flatten(2).transpose(1, 2)
        return torch.flip(tokens, dims=[1])
