"""η multiplies the variance and the deviation.

Named: σ is η² times that of the posterior
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = (x - now.sqrt() * out.pred_xstart) / (1 - now).sqrt()
    sigma = eta * (eta**2 * (1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * out.pred_xstart + (1 - before - sigma**2).sqrt() * noise
    return mean + sigma * torch.randn_like(x)
