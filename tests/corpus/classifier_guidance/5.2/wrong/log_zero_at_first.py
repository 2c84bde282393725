"""The −∞ is replaced by 0, which promises variance 1.

Named: At t = 0 the logarithm is 0, which promises the variance 1
Keeps: 2
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    noisy, noisy_before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / noisy, t, x_t)
    b = self.at((1 - self.betas).sqrt() * noisy_before / noisy, t, x_t)
    variance = self.at(self.betas * noisy_before / noisy, t, x_t)
    return a * x_start + b * x_t, variance, variance.log().nan_to_num(neginf=0.0)
