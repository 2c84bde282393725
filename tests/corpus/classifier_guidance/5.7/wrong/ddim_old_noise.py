"""ε is computed before the guess is pushed.

Named: ε is still the unguided one
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = (x - now.sqrt() * out.pred_xstart) / (1 - now).sqrt()
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    sigma = eta * ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * out.pred_xstart + (1 - before - sigma**2).sqrt() * noise
    return mean + sigma * torch.randn_like(x)
