"""Nothing is returned.

Named: yours is None. Is there a return?
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    sample = mean + prediction.variance.sqrt() * torch.randn_like(x)  # noqa: F841
