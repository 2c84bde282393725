"""The noise is scaled by its variance.

Named: its variance; its standard deviation is √(1 − ᾱ_t)
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    mean = self.at(self.alphas_bar, t, x_start).sqrt() * x_start
    var = 1 - self.at(self.alphas_bar, t, x_start)
    return mean + var * noise
