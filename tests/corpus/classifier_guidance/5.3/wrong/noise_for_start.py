"""Takes what the model says for x_0.

Named: The model tells the noise ε, not x_0
"""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    start = model(x, self.original_steps[t])
    if clip_denoised:
        start = start.clamp(-1, 1)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)
