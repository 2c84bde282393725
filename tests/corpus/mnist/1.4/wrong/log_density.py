"""The log-density is returned, not its derivative.

Named: This is the log-density itself
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return -((x - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2)
