"""Switches the clipping of the guess off.

Named: pred_xstart is not clipped: leave clip_denoised
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    prediction = self.p_mean_variance(model, x, t, clip_denoised=False)
    mean = prediction.mean
    if cond_fn is not None:
        mean = self.condition_mean(cond_fn, prediction, x, t, y)
    return mean + prediction.variance.sqrt() * torch.randn_like(x)
