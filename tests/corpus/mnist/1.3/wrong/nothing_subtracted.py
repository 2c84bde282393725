"""The part of the data is not subtracted from x.

Named: This is α̇ z + (β̇/β) x: subtract
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    b = self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db / b * x
