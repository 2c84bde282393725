"""From the score: u = α̇ z − β̇ β ∇ log p, with the score differentiated by autograd."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = expand_time(t, x)
    mean, std = self.alpha(t) * z, self.beta(t)
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        log_density = -((point - mean) ** 2 / (2 * std**2)).sum()
        (score,) = torch.autograd.grad(log_density, point)
    return self.alpha.dt(t) * z - self.beta.dt(t) * std * score
