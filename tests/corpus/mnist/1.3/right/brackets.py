"""The formula as it stands in the text, with brackets."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = t.view(-1, 1, 1, 1)
    ratio = self.beta.dt(t) / self.beta(t)
    return (self.alpha.dt(t) - ratio * self.alpha(t)) * z + ratio * x
