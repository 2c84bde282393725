"""condition_mean is called even where there is no cond_fn.

Named: Without guidance cond_fn is None
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + prediction.variance.sqrt() * torch.randn_like(x)
