"""Takes x_0 for the noise and uses the sampler's formula.

Named: This takes x_0 for the noise ε
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    beta, bar = self.at(self.betas, t, x_t), self.at(self.alphas_bar, t, x_t)
    mean = (x_t - beta / (1 - bar).sqrt() * x_start) / (1 - beta).sqrt()
    variances = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return mean, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
