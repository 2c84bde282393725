"""Guides by condition_score, the one of DDIM, where it is not the last step.

Named: by condition_score, which belongs to DDIM
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t)
    not_last = (t > 0).reshape(-1, 1, 1, 1)
    mean = prediction.mean
    if cond_fn is not None:
        steered = self.condition_score(cond_fn, prediction, x, t, y)
        mean = torch.where(not_last, steered.mean, mean)
    return mean + not_last * prediction.variance.sqrt() * torch.randn_like(x)
