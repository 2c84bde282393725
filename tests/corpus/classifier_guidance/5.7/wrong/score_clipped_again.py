"""Clips the guess after it was pushed.

Named: The new pred_xstart is clipped
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    start = (prediction.pred_xstart + (1 - bar) / bar.sqrt() * g).clamp(-1, 1)
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
