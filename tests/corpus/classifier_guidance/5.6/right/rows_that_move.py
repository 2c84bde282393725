"""Noise only for the rows that want some, written into a copy."""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    step = self.original_steps[t]
    mean = prediction.mean.clone()
    mean += cond_fn(x, step, y).mul(prediction.variance)
    return mean


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = out._replace(mean=self.condition_mean(cond_fn, out, x, t, y))
    sample = out.mean.clone()
    rows = (t > 0).nonzero().flatten()
    sample[rows] += out.variance[rows].sqrt() * torch.randn(len(rows), *x.shape[1:])
    return sample
