"""The mask is 1 where no noise belongs.

Named: The mask is inverted
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    mask = (t == 0).reshape(-1, 1, 1, 1)
    return mean + mask * (0.5 * prediction.log_variance).exp() * torch.randn_like(x)
