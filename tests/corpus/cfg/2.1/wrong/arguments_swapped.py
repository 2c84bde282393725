"""forward takes (x, y, t) where everybody calls (x, t, y).

Named: forward's arguments are x, t, y, in this order
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, y, t):
        return self.net(torch.cat([x, t[:, None], self.label_embedding(y)], dim=-1))
