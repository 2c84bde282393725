"""The point is detached from what is differentiated.

Named: x has to be in the graph
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    point = x.clone().requires_grad_()
    log_density = -((x - self.alpha(t) * z) ** 2) / (2 * self.beta(t) ** 2)
    return torch.autograd.grad(log_density.sum(), point)[0]
