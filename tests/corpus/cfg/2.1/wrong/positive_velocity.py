"""An activation behind every layer, the last one too.

Named: None of your velocities is negative
"""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        out = self.net(torch.cat([x, t[:, None], self.label_embedding(y)], dim=-1))
        return nn.functional.relu(out)
