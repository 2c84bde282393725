"""The guess moves by (1 − ᾱ_t) g.

Named: times 1 − ᾱ_t; the division by √ᾱ_t is missing
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    start = prediction.pred_xstart + (1 - bar) * cond_fn(x, self.original_steps[t], y)
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
