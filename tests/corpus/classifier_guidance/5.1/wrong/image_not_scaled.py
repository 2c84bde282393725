"""Adds noise to the image as it is, so that the variance grows.

Named: x_0 is not scaled by √ᾱ_t
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    sigma = (1 - self.at(self.alphas_bar, t, x_start)).sqrt()
    return x_start + sigma * noise
