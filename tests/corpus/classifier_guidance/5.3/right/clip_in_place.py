"""Solves and clips in place on a copy of its own; hands on whole shapes."""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    shape = [-1] + [1] * (x.ndim - 1)
    signal = self.alphas_bar.sqrt()[t].reshape(shape)
    sigma = (1 - self.alphas_bar).sqrt()[t].reshape(shape)
    start = x.clone().sub_(sigma * model(x, self.original_steps[t])).div_(signal)
    if clip_denoised:
        start.clamp_(-1.0, 1.0)
    posterior = self.q_posterior_mean_variance(start.clone(), x, t)
    mean, variance, log_variance = (value.expand_as(x) for value in posterior)
    return Prediction(mean, variance, log_variance, start)
