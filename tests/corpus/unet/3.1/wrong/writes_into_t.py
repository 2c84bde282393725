"""t is turned into an angle in place.

Named: writes into t
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        t *= 2 * math.pi
        angles = t[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
