"""cond_fn is told the step of the short process.

Named: cond_fn is asked at t as this process counts it
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    start = prediction.pred_xstart + (1 - bar) / bar.sqrt() * cond_fn(x, t, y)
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
