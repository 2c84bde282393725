"""Hands 5.2 its two images in the wrong order.

Named: The mean is taken with x_0 and x_t swapped
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(x, start, t), start)
