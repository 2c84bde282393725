"""The new values are thrown away, and the old prediction is returned.

Named: pred_xstart is still the old one
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + (1 - bar) / bar.sqrt() * g
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    prediction._replace(mean=mean, pred_xstart=start)
    return prediction
