"""The log variance takes the place of the variance.

Named: scaled by log Σ; it is scaled by Σ
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean + prediction.log_variance * g
