"""The last step is blurred, too: σ from the log variance, and no mask.

Named: At t = 0 noise is added
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + (0.5 * prediction.log_variance).exp() * torch.randn_like(x)
