"""ᾱ_{t−1} by the index t − 1, but not below 0: at t = 0 it is ᾱ_0 and not 1.

Named: At t = 0 you take ᾱ_0 for ᾱ_{t−1}
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar, prev = self.at(self.alphas_bar, t, x_t), self.at(self.alphas_bar, (t - 1).clamp(0), x_t)
    beta = self.at(self.betas, t, x_t)
    mean = (prev.sqrt() * beta * x_start + (1 - beta).sqrt() * (1 - prev) * x_t) / (1 - bar)
    variance = beta * (1 - prev) / (1 - bar)
    return mean, variance, variance.log()
