"""Without the bracket the division concerns the noise alone.

Named: The bracket is missing: only ε is divided
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = x - (1 - alpha_bar).sqrt() * noise / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
