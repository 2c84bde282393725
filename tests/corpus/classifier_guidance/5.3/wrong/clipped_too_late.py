"""Clips the guess after the mean was made from it.

Named: The mean is made from the unclipped guess: clip before the posterior
Keeps: 2
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    found = self.q_posterior_mean_variance(start, x, t)
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*found, start)
