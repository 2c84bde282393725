"""Differentiated by z.

Named: This is the derivative by z
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    with torch.enable_grad():
        z = z.detach().requires_grad_()
        log_density = -((x - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2)
        return torch.autograd.grad(log_density.sum(), z)[0]
