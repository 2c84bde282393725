"""Returns sample and guess in a dict, as the paper's code does.

Named: yours is a dict
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    mean = out.mean if cond_fn is None else self.condition_mean(cond_fn, out, x, t, y)
    sample = mean + out.variance.sqrt() * torch.randn_like(x)
    return {"sample": sample, "pred_xstart": out.pred_xstart}
