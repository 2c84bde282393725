"""From the velocity: u = α̇ z − β̇ β s, solved for s."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    u = self.conditional_vector_field(x, z, t)
    return (self.alpha.dt(t) * z - u) / (self.beta.dt(t) * self.beta(t))
