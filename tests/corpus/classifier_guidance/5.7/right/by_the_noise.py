"""Goes by ε̂ as the equations do, and unpacks predictions; torch.normal draws."""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    a = self.at(self.alphas_bar, t, x)
    _, variance, log_variance, start = prediction
    eps = (x - a.sqrt() * start) / (1 - a).sqrt()
    eps = eps - (1 - a).sqrt() * cond_fn(x, self.original_steps[t], y)
    start = (x - (1 - a).sqrt() * eps) / a.sqrt()
    mean = self.q_posterior_mean_variance(start, x, t)[0]
    return Prediction(mean, variance, log_variance, start)


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    out = self.condition_score(cond_fn, out, x, t, y) if cond_fn else out
    *_, start = out
    a, b = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    eps = (x - a**0.5 * start) / (1 - a) ** 0.5
    sigma = eta * ((1 - b) / (1 - a) * self.at(self.betas, t, x)) ** 0.5
    mean = b**0.5 * start + (1 - b - sigma**2).clamp_min(0) ** 0.5 * eps
    return torch.normal(mean, sigma.expand_as(mean))
