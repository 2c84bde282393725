"""t gets its new dimension in front: (1, b).

Named: t[:, None] is (b, 1), and t[None] would be (1, b)
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        return self.net(torch.cat([x, t.unsqueeze(0), self.label_embedding(y)], dim=1))
