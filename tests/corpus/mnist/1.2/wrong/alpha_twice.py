"""α in both terms, copied.

Named: Both terms have the factor α
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.alpha(t) * torch.randn_like(z)
