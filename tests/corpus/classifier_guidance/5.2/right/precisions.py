"""A product of two Gaussians: precisions add up; in float64."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    beta, prev = self.betas.double(), self.alphas_bar_prev.double()
    by_step, by_start = (1 - beta) / beta, 1 / (1 - prev)
    variance = 1 / (by_step + by_start)
    w_noisy = variance * (1 - beta).sqrt() / beta
    w_start = torch.where(prev < 1, variance * by_start * prev.sqrt(), torch.ones_like(prev))
    log_variance = variance.clone()
    log_variance[0] = variance[1]
    log_variance = log_variance.log()
    mean = self.at(w_start, t, x_t) * x_start + self.at(w_noisy, t, x_t) * x_t
    rest = [self.at(table, t, x_t).to(x_t.dtype) for table in (variance, log_variance)]
    return mean.to(x_t.dtype), *rest
