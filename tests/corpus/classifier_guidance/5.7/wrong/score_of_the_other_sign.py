"""The gradient is added to the noise, as it is to a mean.

Named: the noise points away from the data, so subtract it
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    eps = (x - bar.sqrt() * prediction.pred_xstart) / (1 - bar).sqrt()
    eps = eps + (1 - bar).sqrt() * cond_fn(x, self.original_steps[t], y)
    start = (x - (1 - bar).sqrt() * eps) / bar.sqrt()
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
