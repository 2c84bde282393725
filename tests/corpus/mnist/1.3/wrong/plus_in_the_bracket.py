"""Plus in the bracket.

Named: The sign inside the bracket is off
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return (da + db / b * a) * z + db / b * x
