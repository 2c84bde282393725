"""torch.rand for torch.randn.

Named: torch.rand instead of torch.randn
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * torch.rand_like(z)
