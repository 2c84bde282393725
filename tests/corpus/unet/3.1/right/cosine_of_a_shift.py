"""Sines only, but half of them a quarter of a wave later."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("f", torch.rand(dim // 2) * 3 + 0.1)
        self.register_buffer("phase", torch.tensor([0.0, math.pi / 2]).repeat_interleave(dim // 2))

    def forward(self, t):
        angles = 2 * math.pi * t[:, None] * self.f.repeat(2)
        return math.sqrt(2) * torch.sin(angles + self.phase)
