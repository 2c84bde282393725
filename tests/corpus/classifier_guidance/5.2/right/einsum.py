"""One weight for each image of a pair, and einops.einsum over the pairs."""

import einops


@add_to(GaussianDiffusion)
def q_posterior_mean_variance(self, x_start, x_t, t):
    bar, before, beta = self.alphas_bar[t], self.alphas_bar_prev[t], self.betas[t]
    weights = torch.stack([before.sqrt() * beta, (1 - beta).sqrt() * (1 - before)]) / (1 - bar)
    pair = torch.stack([x_start, x_t])
    mean = einops.einsum(weights.to(pair.dtype), pair, "two b, two b ... -> b ...")
    variances = self.betas * (1 - self.alphas_bar_prev) / (1 - self.alphas_bar)
    logs = variances.clone()
    logs[0] = logs[1]
    return mean, self.at(variances, t, x_t), self.at(logs.log(), t, x_t)
