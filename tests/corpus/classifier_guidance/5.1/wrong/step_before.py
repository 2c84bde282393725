"""Takes ᾱ of the step before.

Named: This uses ᾱ_{t−1}, the step before t
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar_prev, t, x_start)
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
