"""Returns the mean a second time where the guess belongs.

Named: This is the mean, one step back; pred_xstart is the guess of x_0
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    mean, variance, log_variance = self.q_posterior_mean_variance(start, x, t)
    return Prediction(mean, variance, log_variance, mean)
