"""t is used as it came, (b,).

Named: lines them up
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    return (self.alpha(t) * z - x) / self.beta(t) ** 2
