"""condition_mean has added Σ g already, and it is added again.

Named: Guidance moves the mean twice
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
        mean = mean + prediction.variance * cond_fn(x, self.original_steps[t], y)
    return mean + prediction.variance.sqrt() * torch.randn_like(x)
