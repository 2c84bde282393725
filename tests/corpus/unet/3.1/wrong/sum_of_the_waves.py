"""Sine and cosine are added up.

Named: a sine and a cosine, side by side
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        return math.sqrt(2) * (angles.sin() + angles.cos())
