"""New noise instead of that which is in x.

Named: The noise here is drawn anew
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    return self.alpha.dt(t) * z + self.beta.dt(t) * torch.randn_like(x)
