"""Numbers looked up first and shaped for images, the logarithm by torch.where."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar = self.alphas_bar[t].view(-1, 1, 1, 1)
    prev = self.alphas_bar_prev[t].view(-1, 1, 1, 1)
    beta = self.betas[t].view(-1, 1, 1, 1)
    alpha = 1 - beta
    mean = (prev**0.5 * beta * x_start + alpha**0.5 * (1 - prev) * x_t) / (1 - bar)
    var = (1 - prev) * beta / (1 - bar)
    step_1 = self.betas[1] * (1 - self.alphas_bar_prev[1]) / (1 - self.alphas_bar[1])
    return mean, var, torch.log(torch.where(var > 0, var, step_1))
