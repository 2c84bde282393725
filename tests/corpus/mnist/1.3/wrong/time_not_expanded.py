"""t is used as it came, (b,).

Named: lines them up
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    noise = (x - self.alpha(t) * z) / self.beta(t)
    return self.alpha.dt(t) * z + self.beta.dt(t) * noise
