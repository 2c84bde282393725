"""The image is returned as a numpy array.

Named: yours is a ndarray
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        return super().forward(x).detach().numpy()
