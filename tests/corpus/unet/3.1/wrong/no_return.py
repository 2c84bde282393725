"""Forgets to return.

Named: Is there a return?
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
