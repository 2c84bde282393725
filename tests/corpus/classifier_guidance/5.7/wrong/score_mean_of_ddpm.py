"""The mean is moved by Σ g.

Named: The mean is moved by Σ g, as in job 5.6
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + (1 - bar) / bar.sqrt() * g
    return prediction._replace(mean=prediction.mean + prediction.variance * g, pred_xstart=start)
