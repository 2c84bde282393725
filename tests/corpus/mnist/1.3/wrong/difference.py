"""The way that is left, without the time that it takes.

Named: this is z − x
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    return z - x
