"""The gradient is subtracted, as in training.

Named: subtracted; it points towards y
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean - prediction.variance * g
