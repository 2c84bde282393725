"""Counts steps from 1, as the papers do: no noise at t = 1, either.

Named: At t = 1 the noise is missing
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    noise = torch.where((t > 1).reshape(-1, 1, 1, 1), torch.randn_like(x), 0.0)
    return mean + prediction.variance.sqrt() * noise
