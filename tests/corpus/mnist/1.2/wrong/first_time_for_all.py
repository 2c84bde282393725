"""The first item's time is used for the whole batch.

Named: All items are at the time of the first one
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        return self.alpha(t[0]) * z + self.beta(t[0]) * torch.randn_like(z)
