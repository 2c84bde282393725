"""Asks the model once for the mean and once for the guess, two calls where one is enough."""


@add_to(GaussianDiffusion)
def guess_start(self, model, x, t, clip_denoised):
    eps = model(x=x, t=self.original_steps[t])
    sigma, signal = (1 - self.alphas_bar).sqrt(), self.alphas_bar.sqrt()
    guess = (x - self.at(sigma, t, x) * eps) / self.at(signal, t, x)
    return guess.clamp(-1, 1) if clip_denoised else guess


@add_to(GaussianDiffusion)
def p_mean_variance(self, model, x, t, clip_denoised=True):
    posterior = self.q_posterior_mean_variance(
        self.guess_start(model, x, t, clip_denoised=clip_denoised), x, t
    )
    return Prediction(*posterior, self.guess_start(model, x, t, clip_denoised))
