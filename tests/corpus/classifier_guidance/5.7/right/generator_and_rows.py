"""A generator of one's own; image by image in a loop; the guided prediction is made by hand."""

dice = torch.Generator().manual_seed(7)


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    starts = []
    for i, number in enumerate(t.tolist()):
        bar = self.alphas_bar[number]
        starts.append(prediction.pred_xstart[i] + (1 - bar) / bar.sqrt() * g[i])
    start = torch.stack(starts)
    return Prediction(*self.q_posterior_mean_variance(start, x, t), start)


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    out = self.p_mean_variance(model, x, t)
    if cond_fn is not None:
        out = self.condition_score(cond_fn, out, x, t, y)
    rows = []
    for image, start, number in zip(x, out.pred_xstart, t.tolist(), strict=True):
        now, before = self.alphas_bar[number], self.alphas_bar_prev[number]
        sigma = eta * torch.sqrt((1 - before) / (1 - now) * (1 - now / before))
        noise = (image - now.sqrt() * start) / torch.sqrt(1 - now)
        z = torch.randn(image.shape, generator=dice)
        rows.append(before.sqrt() * start + (1 - before - sigma**2).sqrt() * noise + sigma * z)
    return torch.stack(rows)
