"""β is kept away from 0 by far too much.

Shown: At index
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    noise = (x - self.alpha(t) * z) / self.beta(t).clamp_min(0.5)
    return self.alpha.dt(t) * z + self.beta.dt(t) * noise
