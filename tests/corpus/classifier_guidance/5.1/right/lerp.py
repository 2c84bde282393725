"""A mixture of the scaled image and the noise by torch.lerp."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    bar = self.at(self.alphas_bar, t=t, x=x_start).expand_as(x_start).to(x_start.dtype)
    sigma = (1 - bar).sqrt()
    # lerp(a, b, w) = (1 - w) a + w b
    return torch.lerp(bar.sqrt() * x_start, noise + bar.sqrt() * x_start, sigma)
