"""The weight of x_t has √β_t where √(1 − β_t) belongs.

Named: The factor of x_t has β_t under its root
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar, prev = self.at(self.alphas_bar, t, x_t), self.at(self.alphas_bar_prev, t, x_t)
    beta = self.at(self.betas, t, x_t)
    mean = (prev.sqrt() * beta * x_start + beta.sqrt() * (1 - prev) * x_t) / (1 - bar)
    variances = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return mean, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
