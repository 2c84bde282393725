"""Looks its own tables up at the whole process's step, too.

Named: only the model and cond_fn are asked at self.original_steps[t]
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    t = self.original_steps[t]
    noise = model(x, t)
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
