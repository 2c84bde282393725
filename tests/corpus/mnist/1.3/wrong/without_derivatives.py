"""The schedule itself in place of its derivatives.

Named: this combines α and β themselves
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    noise = (x - a * z) / b
    return a * z + b * noise
