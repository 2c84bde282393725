"""Something is added to the variance, and far too much.

Shown: At index
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (self.alpha(t) * z - x) / (self.beta(t) ** 2 + 0.1)
