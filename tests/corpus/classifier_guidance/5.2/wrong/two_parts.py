"""Returns the mean and the variance alone.

Named: has 2 parts
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    return a * x_start + b * x_t, self.at(self.betas * noisy_before / noisy, t, x_t)
