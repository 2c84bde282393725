"""Clips to [0, 1].

Named: The guess is clipped to [0, 1]; images live in [−1, 1]
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(0, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
