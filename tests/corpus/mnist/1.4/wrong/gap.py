"""From the mean to x, undivided.

Named: from the mean to x: the sign is wrong
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return x - self.alpha(t) * z
