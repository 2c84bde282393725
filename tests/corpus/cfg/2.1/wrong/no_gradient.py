"""forward runs under no_grad, as sampling does.

Named: carries no gradient
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    @torch.no_grad()
    def forward(self, x, t, y):
        return self.net(torch.cat([x, t[:, None], self.label_embedding(y)], dim=-1))
