"""One empty row for each item, filled column by column."""


class MLPConditionalVectorField(MLPConditionalVectorField):
    def forward(self, x, t, y):
        b, dim = x.shape
        embedded = self.label_embedding(y)
        known = x.new_empty(b, dim + 1 + embedded.shape[1])
        known[:, :dim] = x
        known[:, dim] = t
        known[:, dim + 1 :] = embedded
        return self.net(known)
