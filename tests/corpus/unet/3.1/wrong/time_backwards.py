"""1 − t in place of t.

Named: did 1 - t take the place of t
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * (1 - t)[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
