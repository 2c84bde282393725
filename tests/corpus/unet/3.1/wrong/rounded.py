"""t is made a whole number first.

Named: was t rounded to a whole number
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t.long()[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
