"""Both square roots are forgotten.

Named: Both square roots are missing
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return alpha_bar * x_start + (1 - alpha_bar) * noise
