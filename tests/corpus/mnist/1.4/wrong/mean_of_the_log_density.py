"""The mean of the log-density is differentiated, for autograd wants one number.

Named: The mean of the log-density was differentiated
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    with torch.enable_grad():
        point = x.detach().requires_grad_()
        log_density = -((point - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2)
        return torch.autograd.grad(log_density.mean(), point)[0]
