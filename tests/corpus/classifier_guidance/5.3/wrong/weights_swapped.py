"""ᾱ and 1 − ᾱ change places.

Named: ᾱ_t and 1 − ᾱ_t look swapped
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - alpha_bar.sqrt() * noise) / (1 - alpha_bar).sqrt()
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
