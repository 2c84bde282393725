"""The tokens are centred by the mean of the batch.

Named: The items of a batch influence each other
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        return super().forward(x - x.mean(dim=0))
