"""A loop over the batch: the model, the guess and the posterior for one image at a time."""


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    parts = []
    for i in range(len(x)):
        one, step = x[i : i + 1], t[i : i + 1]
        bar = float(self.alphas_bar[step])
        eps = model(one, self.original_steps[step])
        start = (one - (1 - bar) ** 0.5 * eps) / bar**0.5
        if clip_denoised:
            start = start.clamp(-1, 1)
        parts.append([*self.q_posterior_mean_variance(start, one, step), start])
    return Prediction(*(torch.cat(column) for column in zip(*parts, strict=True)))
