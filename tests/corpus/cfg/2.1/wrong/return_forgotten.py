"""The velocity is computed and not returned.

Named: Is there a return?
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        velocity = self.net(torch.cat([x, t[:, None], self.label_embedding(y)], dim=-1))
        velocity = velocity.reshape(x.shape)
