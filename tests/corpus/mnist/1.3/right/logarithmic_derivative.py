"""β̇/β is the derivative of log β, by autograd."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    with torch.enable_grad():
        time = t.clone().requires_grad_()
        (ratio,) = torch.autograd.grad(torch.log(self.beta(time)).sum(), time)
    ratio = ratio.reshape(len(t), 1, 1, 1)
    t = t.reshape(len(t), 1, 1, 1)
    return self.alpha.dt(t) * z + ratio * (x - self.alpha(t) * z)
