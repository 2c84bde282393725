"""The time runs from −1 to 1, and the label's row is taken from the table by indexing."""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        time = t.reshape(len(x), 1) * 2 - 1
        return self.net(torch.hstack((x, time, self.label_embedding.weight[y])))
