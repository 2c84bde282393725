"""Pushes the result by Σ g, which belongs to the other sampler.

Named: This guides by condition_mean
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = (x - now.sqrt() * out.pred_xstart) / (1 - now).sqrt()
    sigma = eta * ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * out.pred_xstart + (1 - before - sigma**2).sqrt() * noise
    if cond_fn is not None:
        mean = mean + out.variance * cond_fn(x, self.original_steps[t], y)
    return mean + sigma * torch.randn_like(x)
