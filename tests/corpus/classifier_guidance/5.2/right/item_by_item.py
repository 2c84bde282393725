"""A loop over the batch with Python's own numbers, and whole shapes."""

import math


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    def variance_of(step):
        beta, bar = float(self.betas[step]), float(self.alphas_bar[step])
        return beta * (1 - float(self.alphas_bar_prev[step])) / (1 - bar)

    mean, variance, log_variance = (torch.empty_like(x_t) for _ in range(3))
    for i, step in enumerate(t.tolist()):
        beta, bar = float(self.betas[step]), float(self.alphas_bar[step])
        prev = float(self.alphas_bar_prev[step])
        a = math.sqrt(prev) * beta / (1 - bar)
        b = math.sqrt(1 - beta) * (1 - prev) / (1 - bar)
        mean[i] = a * x_start[i] + b * x_t[i]
        variance[i] = variance_of(step)
        log_variance[i] = math.log(variance_of(max(step, 1)))
    return mean, variance, log_variance
