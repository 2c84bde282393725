"""√Σ multiplies the gradient in either method.

Named: Guidance moves the mean by σ g
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean + torch.exp(0.5 * prediction.log_variance) * g


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean, deviation = prediction.mean, prediction.variance.sqrt()
    if cond_fn is not None:
        mean = mean + deviation * cond_fn(x, self.original_steps[t], y)
    return mean + deviation * torch.randn_like(x)
