"""Takes the variance for a standard deviation, and squares it.

Named: Σ stands squared
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean + prediction.variance**2 * g
