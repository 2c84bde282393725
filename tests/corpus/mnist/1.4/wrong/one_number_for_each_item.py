"""The log-density of each image: one number.

Named: yours has (256,)
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    gap = x - self.alpha(t) * z
    return -(gap**2 / (2 * self.beta(t) ** 2)).flatten(1).sum(dim=1)
