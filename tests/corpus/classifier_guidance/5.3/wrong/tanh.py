"""Squeezes the guess by tanh.

Named: The guess is bent by tanh
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    noise = model(x, self.original_steps[t])
    alpha_bar = self.at(self.alphas_bar, t, x)
    start = (x - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()
    if clip_denoised:
        start = torch.tanh(start)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
