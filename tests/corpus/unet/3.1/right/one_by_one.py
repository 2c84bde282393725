"""A loop over the times and the frequencies."""


class FourierEncoder(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.register_buffer("frequencies", torch.randn(dim // 2))

    def forward(self, t):
        rows = []
        for moment in t:
            row = []
            for f in self.frequencies:
                row += [torch.sin(2 * math.pi * f * moment), torch.cos(2 * math.pi * f * moment)]
            rows.append(torch.stack(row))
        return torch.stack(rows)
