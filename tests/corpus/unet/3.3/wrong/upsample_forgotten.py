"""The step up is never taken.

Named: Was self.upsample called?
Keeps: 2
"""


class Decoder(Decoder):
    def forward(self, x, t_embed, y_embed):
        return x
