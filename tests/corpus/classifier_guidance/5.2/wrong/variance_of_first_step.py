"""The variance takes the second entry at t = 0, too.

Named: At t = 0 the variance is 0, for x_0 is known
Keeps: 2
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    variances = self.betas * noisy_before / noisy
    variances[0] = variances[1]
    return a * x_start + b * x_t, self.at(variances, t, x_t), self.at(variances.log(), t, x_t)
