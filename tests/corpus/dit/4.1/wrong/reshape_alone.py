"""A reshape to b n dim, which mixes the numbers of several tokens.

Named: Did a reshape mix the numbers of several tokens?
"""


class Patchifier(Patchifier):
    def forward(self, x):
        grid = self.embed(x)
        b, dim, rows, columns = grid.shape
        return grid.reshape(b, rows * columns, dim)
