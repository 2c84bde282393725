"""Scales by a ratio that has no value at t = 1.

Named: holds NaN or infinity
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        ratio = self.alpha(t) / self.beta(t)
        return (ratio * z + torch.randn_like(z)) * self.beta(t)
