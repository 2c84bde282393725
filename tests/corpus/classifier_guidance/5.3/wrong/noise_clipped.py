"""Clips what the model says and not the guess.

Named: ε is clipped; clip the guess of x_0
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    if clip_denoised:
        noise = noise.clamp(-1, 1)
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
