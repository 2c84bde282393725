"""Counts steps from 1, as the papers do: ᾱ[t − 1], which at t = 0 is the last one.

Named: alphas_bar[−1] is the last entry
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t - 1, x_start)
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
