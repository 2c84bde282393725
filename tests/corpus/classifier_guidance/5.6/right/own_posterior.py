"""Asks the model by itself, clips, and writes mean and σ out; no other method is called."""


@add_to(GaussianDiffusion)
def condition_mean(self, cond_fn, prediction, x, t, y):
    g = cond_fn(x, self.original_steps[t], y)
    return prediction.mean + g * prediction.log_variance.exp() * per_image(t > 0, x)


def per_image(numbers, x):
    return numbers.view(len(x), *(1 for _ in x.shape[1:]))


@add_to(GaussianDiffusion)
def p_sample(self, model, x, t, cond_fn=None, y=None):
    step = self.original_steps[t]
    now, before, beta = (
        per_image(table[t], x) for table in (self.alphas_bar, self.alphas_bar_prev, self.betas)
    )
    guess = torch.clip((x - (1 - now) ** 0.5 * model(x, step)) / now**0.5, -1, 1)
    mean = (before**0.5 * beta * guess + (1 - beta) ** 0.5 * (1 - before) * x) / (1 - now)
    variance = (1 - before) / (1 - now) * beta
    if cond_fn is not None:
        mean = mean + variance * cond_fn(x, step, y)
    return mean + variance**0.5 * torch.empty_like(x).normal_()
