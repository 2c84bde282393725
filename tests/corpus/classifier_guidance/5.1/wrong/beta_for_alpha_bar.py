"""Takes the table of β for that of ᾱ.

Named: This uses β_t in the place of ᾱ_t
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha = self.at(self.betas, t, x_start)
    return alpha.sqrt() * x_start + (1 - alpha).sqrt() * noise
