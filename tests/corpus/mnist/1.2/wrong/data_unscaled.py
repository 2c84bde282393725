"""The data are not scaled.

Named: Your z is not scaled by α
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return z + self.beta(t) * torch.randn_like(z)
