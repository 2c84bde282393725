"""Guidance written out in p_sample, noise from numpy, σ from the tables; no mask is needed."""

import numpy as np


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    table = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    return prediction[0] + self.at(table, t, x) * cond_fn(x, self.original_steps[t], y)


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    out = self.p_mean_variance(model, x, t)
    mean = out.mean
    if cond_fn is not None:
        mean = mean + out.variance * cond_fn(x, self.original_steps[t], y)
    deviations = (self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)).sqrt()
    noise = np.random.default_rng(int(torch.randint(9999, ()))).standard_normal(x.shape)
    return mean + self.at(deviations, t, x) * torch.from_numpy(noise).to(x)
