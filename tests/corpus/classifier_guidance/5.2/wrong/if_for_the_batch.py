"""Asks with an if whether the whole batch is at step 0.

Named: Each item has a t of its own: a mask such as (t > 0), not an if
"""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar, prev = self.at(self.alphas_bar, t, x_t), self.at(self.alphas_bar_prev, t, x_t)
    beta = self.at(self.betas, t, x_t)
    mean = (prev.sqrt() * beta * x_start + (1 - beta).sqrt() * (1 - prev) * x_t) / (1 - bar)
    variance = beta * (1 - prev) / (1 - bar)
    log_variance = self.betas[1].log() if t == 0 else variance.log()
    return mean, variance, log_variance
