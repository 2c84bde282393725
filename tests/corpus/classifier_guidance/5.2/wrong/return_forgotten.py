"""Forgets the return.

Named: is None; is there a return?
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    variances = self.betas * noisy_before / noisy
    found = [a * x_start + b * x_t, self.at(variances, t, x_t)]
    found += [self.at(torch.cat([variances[1:2], variances[1:]]).log(), t, x_t)]
