"""Takes the posterior's last two for one another.

Named: This is the logarithm: the order is
Keeps: 1
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    mean, log_variance, variance = self.q_posterior_mean_variance(start, x, t)
    return Prediction(mean, variance, log_variance, start)
