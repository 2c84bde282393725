"""Cosine and sine side by side, the sine with a minus, without √2."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("w", torch.randn(dim // 2))

    def forward(self, t):
        angles = 2 * math.pi * t.unsqueeze(-1) * self.w
        return torch.stack([angles.cos(), -angles.sin()], dim=-1).flatten(1)
