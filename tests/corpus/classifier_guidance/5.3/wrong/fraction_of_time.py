"""Tells the model the time in [0, 1), as labs 1 to 4 did.

Named: is asked at fractions; it wants whole step numbers
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, t / self.num_steps)
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
