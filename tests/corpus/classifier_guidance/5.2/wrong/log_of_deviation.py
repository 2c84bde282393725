"""Returns log σ, half of the log variance.

Named: This is log σ, half of log σ²
Keeps: 2
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    variances = self.betas * noisy_before / noisy
    logs = torch.cat([variances[1:2], variances[1:]]).sqrt().log()
    return a * x_start + b * x_t, self.at(variances, t, x_t), self.at(logs, t, x_t)
