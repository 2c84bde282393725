"""The result is made on the CPU, wherever t is.

Named: On another device
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        out = torch.zeros(len(t), 2 * len(self.frequencies))
        out[:, ::2] = angles.sin()
        out[:, 1::2] = angles.cos()
        return math.sqrt(2) * out
