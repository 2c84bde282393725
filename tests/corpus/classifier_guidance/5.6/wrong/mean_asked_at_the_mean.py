"""The gradient is taken at the mean instead of at x_t.

Named: The gradient is taken at the mean
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(prediction.mean, self.original_steps[t], y)
    return prediction.mean + prediction.variance * g
