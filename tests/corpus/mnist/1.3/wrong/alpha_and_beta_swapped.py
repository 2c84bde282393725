"""α and β are swapped throughout.

Named: α and β look swapped
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    b, a = self.alpha(t), self.beta(t)
    db, da = self.alpha.dt(t), self.beta.dt(t)
    return (da - db / b * a) * z + db / b * x
