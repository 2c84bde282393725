"""The weights of x_0 and x_t change places.

Named: x_0 and x_t look swapped
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    mean = a * x_t + b * x_start
    variances = self.betas * noisy_before / noisy
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return mean, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
