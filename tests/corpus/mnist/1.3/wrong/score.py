"""The score is returned.

Named: This is the score
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    return (self.alpha(t) * z - x) / self.beta(t) ** 2
