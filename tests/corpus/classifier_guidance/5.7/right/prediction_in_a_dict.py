"""The answer to 5.3 returns a dict; condition_score copies one, and two calls are made."""

from torch.distributions import Normal


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    bar = self.at(self.alphas_bar, t, x)
    guess = (x - (1 - bar).sqrt() * model(x, self.original_steps[t])) / bar.sqrt()
    guess = guess.clamp(-1, 1) if clip_denoised else guess
    mean, variance, log_variance = self.q_posterior_mean_variance(guess, x, t)
    return {
        "mean": mean,
        "variance": variance,
        "log_variance": log_variance,
        "pred_xstart": guess,
    }


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    out = prediction.copy()
    g = cond_fn(x, self.original_steps[t], y)
    out["pred_xstart"] = prediction["pred_xstart"] + g * (1 - bar) / bar.sqrt()
    out["mean"], _, _ = self.q_posterior_mean_variance(out["pred_xstart"], x, t)
    return out


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    start = self.p_mean_variance(model, x, t)["pred_xstart"]
    variance = self.p_mean_variance(model, x, t)["variance"]
    if cond_fn is not None:
        out = self.p_mean_variance(model, x, t)
        start = self.condition_score(cond_fn, out, x, t, y)["pred_xstart"]
    bar, prev = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = (x - bar.sqrt() * start) / (1 - bar).sqrt()
    sigma = eta * variance.sqrt()
    mean = prev.sqrt() * start + (1 - prev - sigma**2).sqrt() * noise
    return mean if eta == 0 else Normal(mean, sigma.expand_as(mean).clamp_min(1e-12)).sample()
