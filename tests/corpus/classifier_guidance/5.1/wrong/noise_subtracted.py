"""The sign of the noise is turned.

Named: The noise is subtracted; add it
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return alpha_bar.sqrt() * x_start - (1 - alpha_bar).sqrt() * noise
