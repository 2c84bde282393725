"""The noise is returned.

Named: This is the noise, (x − α z)/β
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (x - self.alpha(t) * z) / self.beta(t)
