"""Every image is noised at the first one's step.

Named: at the first item's t; every item has its own
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.alphas_bar[t[0]]
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
