"""The 2 of the square stays, the 1/2 is forgotten.

Named: a factor of 2 too many
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return -2 * (x - self.alpha(t) * z) / self.beta(t) ** 2
