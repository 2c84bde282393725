"""The exponent is differentiated by autograd."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    with torch.enable_grad():
        point = x.detach().clone().requires_grad_()
        exponent = -(point - self.alpha(t) * z).square() / (2 * self.beta(t) ** 2)
        exponent.sum().backward()
    return point.grad
