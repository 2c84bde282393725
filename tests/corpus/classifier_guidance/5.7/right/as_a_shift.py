"""ε is never computed: a step is a share of x_t and a share of the guess."""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    shift = cond_fn(x, self.original_steps[t], y).mul(bar.rsqrt() - bar.sqrt())
    changed = {"pred_xstart": prediction.pred_xstart + shift}
    changed["mean"] = self.q_posterior_mean_variance(changed["pred_xstart"], x, t)[0]
    return Prediction(**(prediction._asdict() | changed))


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    bar, prev = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    sigma = eta * ((1 - prev) / (1 - bar)).sqrt() * (1 - bar / prev).sqrt()
    share = (1 - prev - sigma**2).sqrt() / (1 - bar).sqrt()
    mean = share * x + (prev.sqrt() - share * bar.sqrt()) * out.pred_xstart
    return torch.addcmul(mean, sigma, torch.randn_like(x))
