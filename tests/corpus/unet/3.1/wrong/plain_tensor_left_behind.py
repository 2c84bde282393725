"""Frequencies in a plain tensor, neither saved nor moved with the model.

Named: another device
"""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.frequencies = torch.randn(dim // 2)

    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
