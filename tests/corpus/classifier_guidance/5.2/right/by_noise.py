"""The mean by way of the noise that the two images imply."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    alpha_bar = self.at(self.alphas_bar, t, x_t)
    beta = self.at(self.betas, t, x_t)
    eps = (x_t - alpha_bar.sqrt() * x_start) / (1 - alpha_bar).sqrt()
    mean = (x_t - beta / (1 - alpha_bar).sqrt() * eps) / (1 - beta).sqrt()
    variance = (1 - self.alphas_bar_prev) / (1 - self.alphas_bar) * self.betas
    log_variance = variance[1:].log()
    log_variance = torch.cat([log_variance[:1], log_variance])
    return mean, self.at(variance, t, x_t), self.at(log_variance, t, x_t)
