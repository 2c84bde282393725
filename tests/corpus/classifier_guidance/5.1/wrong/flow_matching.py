"""Mixes linearly in t, as flow matching does.

Named: as flow matching does
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    s = (t / self.num_steps).reshape(-1, *[1] * (x_start.ndim - 1))
    return (1 - s) * x_start + s * noise
