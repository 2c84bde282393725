"""Only the mean is divided.

Named: Only the mean counts here
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return self.alpha(t) * z / self.beta(t) ** 2
