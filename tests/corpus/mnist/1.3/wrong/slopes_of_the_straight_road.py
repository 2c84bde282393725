"""α̇ = 1 and β̇ = −1, as on the straight road.

Named: This is z − ε, which fits the linear schedule only
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    return z - (x - a * z) / b
