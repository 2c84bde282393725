"""torch.distributions knows the log-density; autograd does the rest."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        density = torch.distributions.Normal(self.alpha(t) * z, self.beta(t))
        (score,) = torch.autograd.grad(density.log_prob(point).sum(), point)
    return score
