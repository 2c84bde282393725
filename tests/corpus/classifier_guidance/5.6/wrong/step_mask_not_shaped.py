"""The mask of shape b meets images of shape b c h w.

Named: t has shape (b,) and x is b …
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + (t > 0) * prediction.variance.sqrt() * torch.randn_like(x)
