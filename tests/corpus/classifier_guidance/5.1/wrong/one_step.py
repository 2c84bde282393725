"""A single step of the forward process instead of the jump.

Named: This takes one step with β_t
"""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    beta = self.at(self.betas, t, x_start)
    return (1 - beta).sqrt() * x_start + beta.sqrt() * noise
