"""Everything from the tables, for images, with no call of 5.2."""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    bar = self.alphas_bar[t][:, None, None, None]
    prev = self.alphas_bar_prev[t][:, None, None, None]
    beta = self.betas[t][:, None, None, None]
    start = (x - (1 - bar).sqrt() * model(x, self.original_steps[t])) / bar.sqrt()
    if clip_denoised:
        start = start.clamp(min=-1, max=1)
    mean = (prev.sqrt() * beta * start + (1 - beta).sqrt() * (1 - prev) * x) / (1 - bar)
    variance = (1 - prev) / (1 - bar) * beta
    smallest = (1 - self.alphas_bar[0]) / (1 - self.alphas_bar[1]) * self.betas[1]
    return Prediction(mean, variance, variance.clamp_min(smallest.item()).log(), start)
