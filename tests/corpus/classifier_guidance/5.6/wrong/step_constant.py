"""A placeholder of the right shape.

Named: The step is 0 everywhere
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    mean = self.p_mean_variance(model, x, t).mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, self.p_mean_variance(model, x, t), x, t, y)
    return torch.zeros_like(mean)
