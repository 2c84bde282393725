"""flatten and transpose instead of einops."""


class Patchifier(Patchifier):
    def forward(self, x):
        grid = self.embed(x)
        return grid.flatten(2).transpose(1, 2)
