"""The step for η = 0, whatever η is.

Named: η has no effect: no noise is added
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = (x - now.sqrt() * out.pred_xstart) / (1 - now).sqrt()
    return before.sqrt() * out.pred_xstart + (1 - before).sqrt() * noise
