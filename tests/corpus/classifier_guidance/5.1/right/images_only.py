"""Shapes the numbers for images, `b 1 1 1`, by None."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    alpha_bar = self.alphas_bar[t][:, None, None, None]
    return torch.sqrt(alpha_bar) * x_start + torch.sqrt(1 - alpha_bar) * noise
