"""Returns a whole Prediction where the mean is due.

Named: should return the new mean alone
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction._replace(mean=prediction.mean + prediction.variance * g)
