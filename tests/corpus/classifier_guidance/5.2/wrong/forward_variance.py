"""Returns β_t, the variance of a step forward.

Named: This is β_t, the variance of a step forward
Keeps: 2
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    beta = self.at(self.betas, t, x_t)
    return a * x_start + b * x_t, beta, beta.log()
