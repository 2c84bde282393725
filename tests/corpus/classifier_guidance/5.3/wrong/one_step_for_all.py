"""Asks the model at the first image's step.

Named: is asked at one and the same t for the whole batch
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t[0]].expand(len(x)))
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
