"""The noise is not divided by β.

Named: The division by β is missing
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a = self.alpha(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db * (x - a * z)
