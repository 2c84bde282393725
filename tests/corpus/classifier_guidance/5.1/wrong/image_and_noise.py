"""Returns the noise beside the image, as some trainers want it.

Named: should be a torch tensor; yours is a tuple
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    x = alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
    return x, noise
