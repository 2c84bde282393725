"""Everything at `t.clamp_min(1)` once more, for the logarithm; other names."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, clean, noisy, step):
    def spread(step):
        beta, before = self.at(self.betas, step, noisy), self.at(self.alphas_bar_prev, step, noisy)
        return beta * (1 - before) / (1 - self.at(self.alphas_bar, step, noisy))

    alpha = self.at(1 - self.betas, step, noisy)
    before = 1 - self.at(self.alphas_bar_prev, step, noisy)
    now = self.at(self.alphas_bar, step, noisy)
    noisy_part = torch.sqrt(alpha) * before * noisy
    clean_part = torch.sqrt(1 - before) * (1 - alpha) * clean
    mean = (noisy_part + clean_part).div(1 - now)
    return mean, spread(step), spread(step.clamp_min(1)).log()
