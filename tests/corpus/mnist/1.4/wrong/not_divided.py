"""The division is forgotten.

Named: The division by β² is missing
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return self.alpha(t) * z - x
