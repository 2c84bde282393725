"""Trained frequencies that all begin at zero."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.scales = nn.Parameter(torch.zeros(dim // 2))

    def forward(self, t):
        angles = 2 * torch.pi * torch.outer(t, self.scales)
        return math.sqrt(2) * torch.cat((torch.cos(angles), torch.sin(angles)), 1)
