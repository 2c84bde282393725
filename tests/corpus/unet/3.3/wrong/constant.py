"""Returns zeros of the right shape.

Named: residual layers are never called
Keeps: 2
"""


class Encoder(Encoder):
    def forward(self, x, t_embed, y_embed):
        return torch.zeros(len(x), self.downsample.out_channels, x.shape[2] // 2, x.shape[3] // 2)
