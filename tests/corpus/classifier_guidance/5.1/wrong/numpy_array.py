"""Returns a numpy array.

Named: should be a torch tensor; yours is a ndarray
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return (alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise).numpy()
