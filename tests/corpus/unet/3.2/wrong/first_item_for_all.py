"""All items are told what item 0 should be told.

Named: influence each other
"""


class ResidualLayer(ResidualLayer):
    def forward(self, x, t_embed, y_embed):
        told = self.time_adapter(t_embed) + self.y_adapter(y_embed)
        scale, shift = told[:1, :, None, None].chunk(2, dim=1)
        correction = self.norm(self.block1(x)) * (1 + scale) + shift
        return x + self.block2(correction)
