"""Jumps from the start to the step before, and forgets x_t.

Named: This is the mean of q(x_{t−1}|x_0); it forgets x_t
Keeps: 1
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    mean = self.at(self.alphas_bar_prev, t, x_t).sqrt() * x_start
    variances = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    log_variances = torch.cat([variances[1:2], variances[1:]]).log()
    return mean, self.at(variances, t, x_t), self.at(log_variances, t, x_t)
