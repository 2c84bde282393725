"""The product of all 1 − β as a sum of logarithms, and 1 − ᾱ by expm1."""


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    log_bar = (-self.betas.double()).log1p().cumsum(0)
    log_bar = self.at(log_bar, t, x_start)
    mean = torch.exp(log_bar / 2) * x_start
    std = torch.sqrt(-torch.expm1(log_bar))
    return (mean + std * noise).to(x_start.dtype)
