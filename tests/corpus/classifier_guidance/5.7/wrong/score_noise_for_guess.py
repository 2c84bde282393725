"""Puts ε̂ where the guess belongs.

Named: This is ε̂; return the pred_xstart
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar = self.at(self.alphas_bar, t, x)
    eps = (x - bar.sqrt() * prediction.pred_xstart) / (1 - bar).sqrt()
    eps = eps - (1 - bar).sqrt() * cond_fn(x, self.original_steps[t], y)
    mean, _, _ = self.q_posterior_mean_variance(eps, x, t)
    return prediction._replace(mean=mean, pred_xstart=eps)
