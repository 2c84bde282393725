"""ᾱ_{t−1} scales the gradient.

Named: This uses ᾱ_{t−1}; x_t has the noise of ᾱ_t
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    eps = (x - bar.sqrt() * prediction.pred_xstart) / (1 - bar).sqrt()
    eps = eps - (1 - before).sqrt() * cond_fn(x, self.original_steps[t], y)
    start = (x - (1 - bar).sqrt() * eps) / bar.sqrt()
    mean, _, _ = self.q_posterior_mean_variance(start, x, t)
    return prediction._replace(mean=mean, pred_xstart=start)
