"""The gradient is added to the mean as it is.

Named: The variance is missing: the gradient is scaled by Σ
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    return prediction.mean + cond_fn(x, self.original_steps[t], y)
