"""A random number of another kind, between −1 and 1.

Shown: should be standard normal noise
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * (2 * torch.rand_like(z) - 1)
