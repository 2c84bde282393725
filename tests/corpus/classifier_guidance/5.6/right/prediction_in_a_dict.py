"""The answer to 5.3 returns a dict, and these two read one."""


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
def condition_mean(self, cond_fn, prediction, x, t, y):
    return prediction["mean"] + prediction["variance"] * cond_fn(x, self.original_steps[t], y)


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out["mean"] = self.condition_mean(cond_fn, out, x, t, y=y)
    return out["mean"] + out["variance"].sqrt() * torch.randn_like(x)
