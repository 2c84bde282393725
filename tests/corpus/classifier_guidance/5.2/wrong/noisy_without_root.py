"""The root over α_t is forgotten.

Named: The square root over α_t is missing
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas) * noisy_before / noisy, t, x_t)
    variances = self.betas * noisy_before / noisy
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return a * x_start + b * x_t, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
