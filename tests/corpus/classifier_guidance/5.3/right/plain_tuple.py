"""A plain tuple of four, and the division carried out in parts: x/√ᾱ − √(1/ᾱ − 1) ε."""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    bar = self.at(self.alphas_bar, t, x)
    guess = x / bar.sqrt() - (1 / bar - 1).sqrt() * model(x, self.original_steps[t])
    if clip_denoised:
        guess = torch.clip(guess, -1, 1)
    mean, variance, log_variance = self.q_posterior_mean_variance(guess, x, t)
    return mean, variance, log_variance, guess
