"""Unpacks the prediction, calls by keyword, and draws by torch.normal with a masked σ."""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    mu, sigma_squared, *_ = prediction
    g = cond_fn(x=x, t=self.original_steps[t], y=y)
    return torch.addcmul(mu, sigma_squared.expand_as(g), g)


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model=model, x=x, t=t, clip_denoised=True)
    mu, _, log_variance, _ = prediction
    if cond_fn:
        mu = self.condition_mean(cond_fn=cond_fn, prediction=prediction, x=x, t=t, y=y)
    mask = (t != 0).float().view(-1, *([1] * (x.dim() - 1)))
    return torch.normal(mu, (mask * torch.exp(log_variance / 2)).expand_as(mu))
