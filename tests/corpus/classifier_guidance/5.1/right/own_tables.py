"""Tables of both weights, gathered and shaped without `at`, with names of its own."""


@add_to(GaussianDiffusion)
def q_sample(self, x0, step, eps):
    signal = self.alphas_bar.sqrt().gather(0, step)
    sigma = (1 - self.alphas_bar).sqrt().gather(0, step)
    shape = [len(step)] + [1] * (x0.ndim - 1)
    return x0.mul(signal.view(shape)).add(sigma.view(shape) * eps)
