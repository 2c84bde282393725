"""unsqueeze_ instead of unsqueeze: the t of the caller has two dimensions now.

Named: writes into t
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t.unsqueeze_(1) * self.frequencies
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=-1)
