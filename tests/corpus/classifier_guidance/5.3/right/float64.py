"""In float64 inside, hardtanh for the clip, under no_grad."""

from torch.nn.functional import hardtanh


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    with torch.no_grad():
        eps = model(x, self.original_steps[t]).double()
        bar = self.at(self.alphas_bar.double(), t, x)
        start = (x.double() - (1 - bar).sqrt() * eps) / bar.sqrt()
        if clip_denoised:
            start = hardtanh(start)
        mean, *rest = self.q_posterior_mean_variance(start, x.double(), t)
        return Prediction(mean.to(x.dtype), *rest, start.to(x.dtype))
