"""The image itself takes the place of the noise.

Named: x_t takes the place of the noise
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + prediction.variance.sqrt() * x
