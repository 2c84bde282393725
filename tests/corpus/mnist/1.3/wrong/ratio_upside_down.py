"""The ratio is upside down.

Named: β/β̇ where β̇/β belongs
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.alpha(t), self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    ratio = b / db
    return (da - ratio * a) * z + ratio * x
