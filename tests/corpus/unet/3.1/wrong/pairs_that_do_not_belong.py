"""The cosines have twice the frequency of the sines.

Named: Has each sine a cosine of the same frequency
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), (2 * angles).cos()], dim=-1)
