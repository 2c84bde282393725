"""Multiplies up the whole process's βs, so that a respaced one is wrong.

Named: These are the ᾱ of the whole process at t
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = torch.cumprod(1 - self.whole_betas, dim=0)
    alpha_bar = self.at(alpha_bar, t, x_start)
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
