"""The image is scaled by ᾱ and not by its root.

Named: The square root over ᾱ_t is missing in front of x_0
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return alpha_bar * x_start + (1 - alpha_bar).sqrt() * noise
