"""The data are taken to stand still.

Named: Only the noise moves here
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    db = self.beta.dt(t)
    return db * (x - a * z) / b
