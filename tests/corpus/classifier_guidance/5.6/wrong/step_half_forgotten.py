"""exp(log σ²) is the variance: the ½ is forgotten.

Named: The noise is scaled by the variance σ²
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    not_last = (t > 0).reshape(-1, 1, 1, 1)
    return mean + not_last * prediction.log_variance.exp() * torch.randn_like(x)
