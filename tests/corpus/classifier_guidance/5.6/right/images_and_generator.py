"""A mask for images, a generator that goes on from call to call, float64 inside."""

stream = torch.Generator().manual_seed(3)


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y).double()
    return (prediction.mean.double() + prediction.variance.double() * g).to(x.dtype)


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    mean = out.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, out, x, t, y)
    noise = torch.randn(x.shape, generator=stream, dtype=torch.float64)
    noise[t == 0] = 0
    sigma = torch.exp(0.5 * out.log_variance.double())
    return (mean + sigma * noise * (t > 0)[:, None, None, None]).to(x.dtype)
