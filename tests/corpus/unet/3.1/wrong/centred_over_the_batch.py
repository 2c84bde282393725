"""The mean time of the batch is taken off.

Named: times of a batch
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * (t - t.mean())[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
