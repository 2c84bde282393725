"""Points away from the mean.

Named: Your score has the opposite sign
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (x - self.alpha(t) * z) / self.beta(t) ** 2
