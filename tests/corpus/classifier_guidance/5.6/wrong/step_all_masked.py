"""The mask multiplies the whole result, so that the image of the last step is lost.

Named: At t = 0 the mean is lost
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    deviation = (0.5 * prediction.log_variance).exp()
    return (t > 0).reshape(-1, 1, 1, 1) * (mean + deviation * torch.randn_like(x))
