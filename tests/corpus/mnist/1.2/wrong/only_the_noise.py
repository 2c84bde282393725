"""Noise of the right size, without the data.

Named: This is noise alone
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        return self.beta(expand_time(t, z)) * torch.randn_like(z)
