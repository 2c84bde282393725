"""A ReLU at the end.

Named: no ReLU at the end
"""


class Depatchifier(Depatchifier):
    def forward(self, x):
        return torch.relu(super().forward(x))
