"""The next image is written into the last one.

Named: writes into x
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    mean = out.mean if cond_fn is None else self.condition_mean(cond_fn, out, x, t, y)
    x.copy_(mean + out.variance.sqrt() * torch.randn_like(x))
    return x
