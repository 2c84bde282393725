"""Computes the pushed mean, and goes on with the old one.

Named: cond_fn has no effect: start from condition_mean
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        self.condition_mean(cond_fn, prediction, x, t, y)
    return prediction.mean + prediction.variance.sqrt() * torch.randn_like(x)
