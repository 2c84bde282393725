"""x is taken for the noise.

Named: x stands where the noise belongs
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db * x
