"""cond_fn is called without the labels.

Named: cond_fn is handed no y at all
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t])
    return prediction.mean + prediction.variance * g
