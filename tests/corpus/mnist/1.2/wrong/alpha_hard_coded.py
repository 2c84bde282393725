"""The data are scaled by t instead of α(t).

Named: α is hard-coded as t
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return t * z + self.beta(t) * torch.randn_like(z)
