"""Predicts again in a helper, so the model is called twice."""


def deviation(self, model, x, t):
    return self.p_mean_variance(model, x, t).variance.sqrt()


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    mean, variance, _, _ = prediction
    return sum([mean, torch.mul(variance, cond_fn(x, self.original_steps[t], y))])


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    mean = out.mean
    if cond_fn is not None:
        mean = mean + out.variance * cond_fn(x, self.original_steps[t], y)
    return mean + deviation(self, model, x, t) * torch.randn(x.shape, dtype=x.dtype)
