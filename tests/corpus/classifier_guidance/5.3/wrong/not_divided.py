"""Forgets the division by √ᾱ.

Named: The division by √ᾱ_t is missing
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    start = x - self.at((1 - self.alphas_bar).sqrt(), t, x) * noise
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
