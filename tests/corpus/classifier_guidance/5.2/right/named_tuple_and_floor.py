"""A named tuple; the logarithm is kept finite by a floor."""


class Posterior(NamedTuple):
    mean: Tensor
    variance: Tensor
    log_variance: Tensor


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar, prev, beta = (
        self.at(table, t, x_t) for table in (self.alphas_bar, self.alphas_bar_prev, self.betas)
    )
    variance = beta * (1 - prev) / (1 - bar)
    to_start = prev.sqrt() * beta / (1 - bar)
    to_noisy = (1 - beta).sqrt() * (1 - prev) / (1 - bar)
    return Posterior(
        log_variance=variance.clamp(min=1e-20).log(),
        variance=variance,
        mean=to_start * x_start + to_noisy * x_t,
    )
