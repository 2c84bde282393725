"""Comes back as a numpy array.

Named: yours is a ndarray
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return (self.alpha(t) * z + self.beta(t) * torch.randn_like(z)).numpy()
