"""The noise is returned as well.

Named: yours is a tuple
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t, noise = expand_time(t, z), torch.randn_like(z)
        return self.alpha(t) * z + self.beta(t) * noise, noise
