"""A minus of the straight road, though β̇ is negative already.

Named: The sign of the noise is off
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z - db * (x - a * z) / b
