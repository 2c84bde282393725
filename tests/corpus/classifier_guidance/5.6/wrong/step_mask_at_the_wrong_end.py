"""Takes T − 1 for the last step, and leaves out its noise.

Named: the last step, which goes without, is t = 0
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    mask = (t < self.num_steps - 1).reshape(-1, 1, 1, 1)
    return mean + mask * prediction.variance.sqrt() * torch.randn_like(x)
