"""Returns the push alone.

Named: this is Σ g alone
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    return prediction.variance * cond_fn(x, self.original_steps[t], y)
