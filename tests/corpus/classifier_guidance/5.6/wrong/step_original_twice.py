"""The original steps are looked up before condition_mean, which looks them up again.

Named: only the model and cond_fn are asked at self.original_steps[t]
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, self.original_steps[t], y)
    return mean + prediction.variance.sqrt() * torch.randn_like(x)
