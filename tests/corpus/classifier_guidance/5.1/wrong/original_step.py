"""Looks its own table up at the numbers of the whole process.

Named: t counts the steps of this process
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, self.original_steps[t], x_start)
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
