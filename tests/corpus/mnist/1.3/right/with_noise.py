"""Solves for the noise; the schedule is asked before the axes are added."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    a, b, da, db = (
        f(t)[:, None, None, None] for f in (self.alpha, self.beta, self.alpha.dt, self.beta.dt)
    )
    eps = (x - a * z) / b
    return torch.addcmul(da * z, db, eps)
