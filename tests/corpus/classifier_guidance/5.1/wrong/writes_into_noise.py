"""Scales the caller's noise in place.

Named: Your code writes into noise
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    noise *= (1 - alpha_bar).sqrt()
    return alpha_bar.sqrt() * x_start + noise
