"""The derivatives are swapped.

Named: The derivatives are swapped
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    db, da = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db * (x - a * z) / b
