"""The guess comes first in the Prediction, the mean last.

Named: pred_xstart and mean look swapped
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + (1 - bar) / bar.sqrt() * g
    mean, variance, log_variance = self.q_posterior_mean_variance(start, x, t)
    return Prediction(start, variance, log_variance, mean)
