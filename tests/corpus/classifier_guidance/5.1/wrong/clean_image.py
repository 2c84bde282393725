"""Returns the image as it came.

Named: This is x_0 as it came
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    return x_start
