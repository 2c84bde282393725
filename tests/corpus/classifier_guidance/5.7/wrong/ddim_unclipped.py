"""Writes everything out by the model's ε, and forgets to clip.

Named: pred_xstart is not clipped, and ε is the model's own answer
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    step = self.original_steps[t]
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = model(x, step)
    if cond_fn is not None:
        noise = noise - (1 - now).sqrt() * cond_fn(x, step, y)
    start = (x - (1 - now).sqrt() * noise) / now.sqrt()
    sigma = eta * ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * start + (1 - before - sigma**2).sqrt() * noise
    return mean + sigma * torch.randn_like(x)
