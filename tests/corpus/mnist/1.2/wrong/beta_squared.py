"""The variance is given where the standard deviation belongs.

Named: Your noise is scaled by β²
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        std = self.beta(t).square().expand_as(z)
        return torch.normal(self.alpha(t) * z, std)
