"""An if over the steps of a whole batch.

Named: a mask such as (t > 0), not an if
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    noise = torch.randn_like(x) if t > 0 else 0
    return mean + prediction.variance.sqrt() * noise
