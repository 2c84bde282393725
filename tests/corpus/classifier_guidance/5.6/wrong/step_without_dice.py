"""Returns the mean; nothing is drawn.

Named: The noise is missing: this is the mean
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        return self.condition_mean(cond_fn, prediction, x, t, y)
    return prediction.mean
