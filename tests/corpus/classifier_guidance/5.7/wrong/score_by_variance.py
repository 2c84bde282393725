"""Moves the guess by Σ g, as 5.6 moves the mean.

Named: Σ g is added to pred_xstart
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + prediction.variance * g
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
