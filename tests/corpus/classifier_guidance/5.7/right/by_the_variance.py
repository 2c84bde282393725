"""σ by way of the prediction's variance, a mask, and the paper's other formula for ε."""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    push = cond_fn(x, self.original_steps[t], y=y) * (1 - bar) * bar**-0.5
    guess = prediction.pred_xstart + push
    mean, variance, log_variance = self.q_posterior_mean_variance(x_start=guess, x_t=x, t=t)
    return Prediction(mean=mean, variance=variance, log_variance=log_variance, pred_xstart=guess)


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t, clip_denoised=True)
    if cond_fn is not None:
        out = self.condition_score(cond_fn=cond_fn, prediction=out, x=x, t=t, y=y)
    bar, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = ((1 / bar).sqrt() * x - out.pred_xstart) / (1 / bar - 1).sqrt()
    sigma = eta * out.variance.sqrt()
    mean = out.pred_xstart * torch.sqrt(before) + torch.sqrt(1 - before - sigma**2) * noise
    mask = (t != 0).float().view(-1, *([1] * (x.dim() - 1)))
    return mean + mask * sigma * torch.randn(x.shape)
