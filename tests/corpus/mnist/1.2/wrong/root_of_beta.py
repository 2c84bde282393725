"""β is taken for a variance.

Named: Your noise has variance β instead of β²
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t).sqrt() * torch.randn_like(z)
