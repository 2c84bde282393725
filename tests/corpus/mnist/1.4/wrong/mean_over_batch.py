"""The log-density is averaged over the batch.

Named: averaged over the batch
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        log_density = -((point - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2)
        return torch.autograd.grad(log_density.flatten(1).sum(dim=1).mean(), point)[0]
