"""No method of the path: helpers, the posterior written out, guidance inside ddim_sample."""


def per_image(numbers, x):
    return numbers.view(len(x), *(1 for _ in x.shape[1:]))


def look_up(process, t, x):
    tables = process.alphas_bar, process.alphas_bar_prev, process.betas
    return (per_image(table[t], x) for table in tables)


@add_to(GaussianDiffusion)
def condition_score(self, cond_fn, prediction, x, t, y):
    bar, prev, beta = look_up(self, t, x)
    pull = (1 - bar).sqrt() * cond_fn(x, self.original_steps[t], y)
    start = prediction.pred_xstart + pull * (1 / bar - 1).sqrt()
    mean = prev.sqrt() * beta * start + (1 - beta).sqrt() * (1 - prev) * x
    return Prediction(mean / (1 - bar), prediction[1], prediction[2], start)


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    bar, prev, beta = look_up(self, t, x)
    step = self.original_steps[t]
    start = ((x - (1 - bar).sqrt() * model(x, step)) / bar.sqrt()).clamp(-1, 1)
    noise = (x - bar.sqrt() * start) / (1 - bar).sqrt()
    if cond_fn is not None:
        noise = noise - (1 - bar).sqrt() * cond_fn(x, step, y)
        start = (x - (1 - bar).sqrt() * noise) / bar.sqrt()
    sigma = eta * torch.sqrt((1 - prev) * beta / (1 - bar))
    mean = prev.sqrt() * start + (1 - prev - sigma.square()).sqrt() * noise
    return mean if eta == 0 else mean + sigma * torch.randn_like(x)
