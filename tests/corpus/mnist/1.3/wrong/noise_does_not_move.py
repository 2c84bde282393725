"""The noise is taken to stand still.

Named: The term β̇ ε is missing
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    da = self.alpha.dt(t)
    return da * z
