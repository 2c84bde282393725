"""Frequencies from 1 to 1/10000, and a time from 0 to 1000, as in DDPM."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.half = dim // 2

    def forward(self, t):
        steps = torch.arange(self.half, device=t.device) / (self.half - 1)
        freqs = torch.exp(-math.log(10000) * steps)
        args = 1000 * t[:, None] * freqs[None]
        return torch.cat([torch.cos(args), torch.sin(args)], dim=-1)
