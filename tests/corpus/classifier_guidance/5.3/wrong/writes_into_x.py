"""Solves for the guess in the caller's own tensor.

Named: Your code writes into x: the caller's tensor has changed
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = x
    start -= (1 - alpha_bar).sqrt() * noise
    start /= alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
