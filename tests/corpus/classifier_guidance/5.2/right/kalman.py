"""Predicts x_{t−1} from the end, and corrects it by x_t with a gain, as a Kalman filter."""


def forecast(process, x_start, t):
    share = process.at(process.alphas_bar_prev, t, x_start)
    return share.sqrt() * x_start, 1 - share


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    guess, spread = forecast(self, x_start, t)
    beta = self.at(self.betas, t, x_t)
    root = torch.sqrt(1 - beta)
    total = root**2 * spread + beta
    gain = spread * root / total
    mean = guess + gain * (x_t - root * guess)
    variance = spread * beta / total
    second = self.betas[1] * (1 - self.alphas_bar_prev[1]) / (1 - self.alphas_bar[1])
    first = (t == 0).reshape(-1, *[1] * (x_t.ndim - 1))
    return mean, variance, torch.where(first, second, variance).log()
