"""Frequencies in a plain tensor that is moved by hand to where t is."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.frequencies = torch.linspace(0.5, 4, dim // 2)

    def forward(self, t):
        angles = torch.outer(t, 2 * torch.pi * self.frequencies.to(t))
        return torch.hstack([angles.cos(), angles.sin()])
