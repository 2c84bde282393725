"""The scale is told the time alone and the shift the label alone.

Named: second half (the shifts) of what time_adapter says
"""


class ResidualLayer(ResidualLayer):
    def forward(self, x, t_embed, y_embed):
        scale, _ = self.time_adapter(t_embed)[:, :, None, None].chunk(2, dim=1)
        _, shift = self.y_adapter(y_embed)[:, :, None, None].chunk(2, dim=1)
        correction = self.norm(self.block1(x)) * (1 + scale) + shift
        return x + self.block2(correction)
