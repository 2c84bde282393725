"""Clips from above alone.

Named: Only the upper end is clipped
Keeps: 2
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = torch.minimum(start, torch.ones_like(start))
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
