"""Goes back a single step, with β in the place of 1 − ᾱ.

Named: it goes back one step, not all the way
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    beta = self.at(self.betas, t, x)
    start = (x - beta.sqrt() * noise) / (1 - beta).sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
