"""_replace returns a new tuple; here it is thrown away.

Named: is None; is there a return?
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + (1 - bar) / bar.sqrt() * g
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    prediction._replace(mean=mean, pred_xstart=start)
