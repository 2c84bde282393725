"""The velocity is returned.

Named: This is the velocity
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    return self.conditional_vector_field(x, z, t)
