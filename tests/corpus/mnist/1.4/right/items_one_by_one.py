"""One item after another."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    score = torch.empty_like(x)
    for i in range(len(x)):
        score[i] = (self.alpha(t[i]) * z[i] - x[i]) / self.beta(t[i]) ** 2
    return score
