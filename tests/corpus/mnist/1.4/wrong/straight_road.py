"""The formula of the straight road.

Named: This is (t z − x)/(1 − t)²
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (t * z - x) / (1 - t) ** 2
