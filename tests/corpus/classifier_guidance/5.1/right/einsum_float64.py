"""einops.einsum with weights `b`, in float64 inside."""

import einops


@add_to(GaussianDiffusion)
def q_sample(self, x_start, t, noise):
    bar = self.alphas_bar[t].double()
    image = einops.einsum(bar.sqrt(), x_start.double(), "b, b ... -> b ...")
    rest = einops.einsum((1 - bar).sqrt(), noise.double(), "b, b ... -> b ...")
    return (image + rest).to(x_start.dtype)
