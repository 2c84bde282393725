"""Adds the noise as it is.

Named: The noise is not scaled
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    return self.at(self.alphas_bar.sqrt(), t, x_start) * x_start + noise
