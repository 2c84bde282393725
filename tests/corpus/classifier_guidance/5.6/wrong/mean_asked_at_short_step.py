"""cond_fn is told the step of the short process, not that of the whole one.

Named: cond_fn is asked at t as this process counts it
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    return prediction.mean + prediction.variance * cond_fn(x, t, y)
