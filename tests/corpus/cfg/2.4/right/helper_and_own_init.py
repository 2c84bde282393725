"""A class of its own, not derived from 2.3's, with a helper that asks both questions."""


class BatchedCFGVectorFieldODE(ODE):
    def __init__(self, model, null, scale=1.0):
        self.model, self.null, self.scale = model, null, scale

    def ask_both(self, x, t, y):
        nobody = y * 0 + self.null
        question = [torch.cat(pair) for pair in ((x, x), (t, t), (nobody, y))]
        return torch.tensor_split(self.model(*question), 2)

    @torch.no_grad()
    def drift_coefficient(self, x, t, y):
        free, given = self.ask_both(x, t, y)
        return given * self.scale - (self.scale - 1) * free
