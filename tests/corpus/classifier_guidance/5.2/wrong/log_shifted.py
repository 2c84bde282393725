"""The second entry is put before the table, so that all others move up by one.

Named: The logarithms are shifted by one step
Keeps: 2
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    variances = self.betas * noisy_before / noisy
    logs = torch.cat([variances[1:2], variances[1:2], variances[1:-1]]).log()
    return a * x_start + b * x_t, self.at(variances, t, x_t), self.at(logs, t, x_t)
