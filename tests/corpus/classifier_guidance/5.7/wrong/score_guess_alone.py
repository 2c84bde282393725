"""Returns the guess where a Prediction is due.

Named: should return a prediction as it came
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.pred_xstart + (1 - bar) / bar.sqrt() * g
