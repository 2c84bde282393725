"""Turns the batch to the last dimension, where numbers `b` line up by themselves."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    a = self.alphas_bar[t]
    x = a.sqrt() * x_start.movedim(0, -1) + (1 - a).sqrt() * noise.movedim(0, -1)
    return x.movedim(-1, 0)
