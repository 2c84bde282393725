"""A seed in each call makes every step draw the same noise.

Named: Two calls drew the same noise
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    torch.manual_seed(0)
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + prediction.variance.sqrt() * torch.randn_like(x)
