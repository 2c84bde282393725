"""The log variance as a sum of logarithms, the variance as its exponential."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    beta, bar = self.betas.double(), self.alphas_bar.double()
    prev = self.alphas_bar_prev.double()
    log_var = beta.log() + torch.log1p(-prev) - torch.log1p(-bar)  # −∞ at t = 0
    finite = torch.cat((log_var[1:2], log_var[1:]))
    start = torch.exp(0.5 * prev.log() + beta.log() - (1 - bar).log())
    mean = torch.addcmul(
        self.at(start, t, x_t) * x_start,
        self.at((1 - beta).sqrt() * (1 - prev) / (1 - bar), t, x_t),
        x_t.double(),
    )
    variance = self.at(log_var.exp(), t, x_t).expand(x_t.shape)
    logs = self.at(finite, t, x_t).expand(x_t.shape)
    return [value.to(x_t.dtype) for value in (mean, variance, logs)]
