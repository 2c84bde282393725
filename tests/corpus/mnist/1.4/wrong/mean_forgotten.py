"""The mean is taken to be 0, as for pure noise.

Named: the mean of the path is α z, not 0
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return -x / self.beta(t) ** 2
