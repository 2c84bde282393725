"""The first item's time is used for the whole batch.

Named: All items are at the time of the first one
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = t[0]
    a, b = self.alpha(t), self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db * (x - a * z) / b
