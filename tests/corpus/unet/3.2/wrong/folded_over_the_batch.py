"""reshape mixes the items of the batch in place of splitting the channels.

Named: influence each other
"""


class ResidualLayer(ResidualLayer):
    def forward(self, x, t_embed, y_embed):
        told = self.time_adapter(t_embed) + self.y_adapter(y_embed)
        scale, shift = told.reshape(2, len(x), -1, 1, 1)
        correction = self.norm(self.block1(x)) * (1 + scale) + shift
        return x + self.block2(correction)
