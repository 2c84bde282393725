"""Clips the mean in the place of the guess.

Named: The mean is clipped; clip pred_xstart, from which it is made
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    mean, variance, log_variance = self.q_posterior_mean_variance(start, x, t)
    if clip_denoised:
        mean = mean.clamp(-1, 1)
    return Prediction(mean, variance, log_variance, start)
