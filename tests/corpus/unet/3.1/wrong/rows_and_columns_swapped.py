"""Times in the columns, frequencies in the rows.

Named: Rows and columns are swapped
"""


class FourierEncoder(FourierEncoder):
    def forward(self, t):
        angles = 2 * math.pi * t * self.frequencies[:, None]
        return math.sqrt(2) * torch.cat([angles.sin(), angles.cos()], dim=0)
