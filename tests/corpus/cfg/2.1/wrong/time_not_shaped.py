"""t stays (b,) beside tensors with two dimensions.

Named: t has shape (b,); t[:, None] is (b, 1) and can stand beside
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        return self.net(torch.cat([x, t, self.label_embedding(y)], dim=-1))
