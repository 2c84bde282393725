"""Never asks the model.

Named: the model is never called
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    start = torch.zeros_like(x)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
