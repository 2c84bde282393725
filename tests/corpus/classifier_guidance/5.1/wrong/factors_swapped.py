"""The image gets the weight of the noise, and the noise that of the image.

Named: The two factors look swapped
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.at(self.alphas_bar, t, x_start)
    return (1 - alpha_bar).sqrt() * x_start + alpha_bar.sqrt() * noise
