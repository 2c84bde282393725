"""math.sin of a tensor.

Named: torch.sin takes a whole tensor
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([math.sin(angles), math.cos(angles)], dim=-1)
