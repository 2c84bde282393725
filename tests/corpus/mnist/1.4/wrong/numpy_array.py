"""Comes back as a numpy array.

Named: yours is a ndarray
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return ((self.alpha(t) * z - x) / self.beta(t) ** 2).numpy()
