"""Divided by the standard deviation.

Named: You divide by β; the variance
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (self.alpha(t) * z - x) / self.beta(t)
