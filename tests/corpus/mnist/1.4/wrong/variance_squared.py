"""The variance is squared again.

Named: You divide by β⁴
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    variance = self.beta(t) ** 2
    return (self.alpha(t) * z - x) / variance**2
