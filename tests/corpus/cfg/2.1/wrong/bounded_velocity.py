"""A tanh behind the last layer, as for images.

Named: stay between −1 and 1
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        return self.net(torch.cat([x, t[:, None], self.label_embedding(y)], dim=-1)).tanh()
