"""The 1/2 stays, the 2 of the square is forgotten.

Named: a factor of 1/2 too many
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return -(x - self.alpha(t) * z) / (2 * self.beta(t) ** 2)
