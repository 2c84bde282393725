"""α is forgotten in the noise.

Named: In your noise z is not scaled by α
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    b = self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    noise = (x - z) / b
    return da * z + db * noise
