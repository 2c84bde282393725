"""Guides the model's ε first, and clips the guess afterwards.

Named: The guess is clipped after it is guided; clip first
Keeps: 1.5
"""


@add_to(GaussianDiffusion)
def ddim_sample(self, model, x, t, cond_fn=None, y=None, eta=0.0):
    step = self.original_steps[t]
    now, before = self.at(self.alphas_bar, t, x), self.at(self.alphas_bar_prev, t, x)
    noise = model(x, step)
    if cond_fn is not None:
        noise = noise - (1 - now).sqrt() * cond_fn(x, step, y)
    start = ((x - (1 - now).sqrt() * noise) / now.sqrt()).clamp(-1, 1)
    noise = (x - now.sqrt() * start) / (1 - now).sqrt()
    sigma = eta * ((1 - before) / (1 - now) * (1 - now / before)).sqrt()
    mean = before.sqrt() * start + (1 - before - sigma**2).sqrt() * noise
    return mean + sigma * torch.randn_like(x)
