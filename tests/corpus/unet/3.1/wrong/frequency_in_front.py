"""The frequency stands in front of the waves, not inside.

Named: The frequency w stands inside the sine
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None]
        sines, cosines = self.frequencies * angles.sin(), self.frequencies * angles.cos()
        return math.sqrt(2) * torch.cat([sines, cosines], dim=-1)
