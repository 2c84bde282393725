"""α stands where its derivative belongs.

Named: α̇ is missing: the first coefficient
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    db = self.beta.dt(t)
    return (a - db / b * a) * z + db / b * x
