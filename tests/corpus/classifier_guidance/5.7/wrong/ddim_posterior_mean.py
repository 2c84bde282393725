"""A DDPM step whose dice are left out.

Named: This is the posterior mean of job 5.2
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    return out.mean + eta * out.variance.sqrt() * torch.randn_like(x)
