"""There is no return.

Named: Is there a return?
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    noise = (x - self.alpha(t) * z) / self.beta(t)
    self.velocity = self.alpha.dt(t) * z + self.beta.dt(t) * noise
