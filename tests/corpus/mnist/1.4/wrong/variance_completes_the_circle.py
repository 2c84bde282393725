"""The variance is computed from α as if every schedule lay on the circle.

Named: here it is 1 − α²
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    alpha = self.alpha(t)
    return (alpha * z - x) / (1 - alpha**2)
