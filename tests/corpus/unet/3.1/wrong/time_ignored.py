"""A constant: t plays no part.

Named: does not change with t
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        return torch.ones(len(t), 2 * len(self.frequencies), device=t.device)
