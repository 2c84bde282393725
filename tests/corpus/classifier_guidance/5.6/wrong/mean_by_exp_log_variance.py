"""Σ by way of the log variance, which was clipped at t = 0: the last step is pushed, too.

Named: exp(log_variance), which is not 0 at t = 0
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean + prediction.log_variance.exp() * g
