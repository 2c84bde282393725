"""Parameters of its own names, 5.2 and the helpers with theirs, called by them."""


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, clean, noisy, step):
    now, before = 1 - self.alphas_bar, 1 - self.alphas_bar_prev
    a = self.at(self.alphas_bar_prev.sqrt() * self.betas / now, step, noisy)
    b = self.at((1 - self.betas).sqrt() * before / now, step, noisy)
    var = self.betas * before / now
    logs = torch.cat([var[1:2], var[1:]]).log()
    return a * clean + b * noisy, self.at(var, step, noisy), self.at(logs, step, noisy)


@add_to(GaussianDiffusion)
def start_from_noise(self, noisy, step, eps):
    bar = self.at(self.alphas_bar, step, noisy)
    return (noisy - (1 - bar) ** 0.5 * eps) / bar**0.5


@add_to(GaussianDiffusion)
def p_mean_variance(self, net, noisy, step, clip=True):
    eps = net(noisy, self.original_steps[step])
    guess = self.start_from_noise(noisy, step, eps)
    guess = guess.clamp(-1, 1) if clip else guess
    found = self.q_posterior_mean_variance(clean=guess, noisy=noisy, step=step)
    return Prediction(*found, guess)
