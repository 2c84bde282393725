"""The waves as real and imaginary parts of e^{iωt}, frozen and fast."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weights = nn.Parameter(16 * torch.randn(1, dim // 2), requires_grad=False)

    def forward(self, t):
        phase = torch.exp(1j * 2 * math.pi * t.reshape(-1, 1) * self.weights)
        return torch.view_as_real(phase).flatten(1)
