"""Forgets the term with x_t.

Named: The term with x_t is missing
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    mean = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t) * x_start
    variances = self.betas * noisy_before / noisy
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return mean, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
