"""Writes in place, on a copy of the noise."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    bar = self.at(self.alphas_bar, t, x_start)
    x = noise.clone()
    x *= (1 - bar).sqrt()
    return x.add_(bar.sqrt() * x_start)
