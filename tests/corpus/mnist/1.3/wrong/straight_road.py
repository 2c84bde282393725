"""The simplified formula of the straight road.

Named: This is (z − x)/(1 − t)
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    return (z - x) / (1 - t)
