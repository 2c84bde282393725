"""The exponential is returned, not the derivative of its logarithm.

Named: This is the density, up to its factor
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return torch.exp(-((x - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2))
