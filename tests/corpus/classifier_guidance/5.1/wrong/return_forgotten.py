"""Forgets the return.

Named: yours is None. Is there a return?
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    x_t = alpha_bar.sqrt() * x_start
    x_t += (1 - alpha_bar).sqrt() * noise
