"""Numbers `b` are multiplied with images `b c h w`.

Named: self.at(table, t, x) gives numbers that line up
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.alphas_bar[t]
    return alpha_bar.sqrt() * x_start + (1 - alpha_bar).sqrt() * noise
