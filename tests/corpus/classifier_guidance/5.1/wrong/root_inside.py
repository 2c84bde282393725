"""The root goes over ᾱ alone, 1 − √ᾱ.

Named: the root belongs over the difference
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    a = self.at(self.alphas_bar.sqrt(), t, x_start)
    return a * x_start + (1 - a) * noise
