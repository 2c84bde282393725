"""float64 inside, and noise from empty_like().normal_()."""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x).double()
    g = cond_fn(x, self.original_steps[t], y).double()
    guess = (prediction.pred_xstart.double() + (1 - bar) / bar.sqrt() * g).to(x.dtype)
    mean, _, _ = self.q_posterior_mean_variance(guess, x, t)
    return prediction._replace(pred_xstart=guess, mean=mean)


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    tables = (self.alphas_bar, self.alphas_bar_prev)
    now, before = (self.at(table, t, x).double() for table in tables)
    start = out.pred_xstart.double()
    variance = eta**2 * (1 - before) / (1 - now) * (1 - now / before)
    noise = (x.double() - now.sqrt() * start) / (1 - now).sqrt()
    mean = before.sqrt() * start + (1 - before - variance).sqrt() * noise
    return (mean + variance.sqrt() * torch.empty_like(mean).normal_()).to(x.dtype)
