"""The noise is not scaled.

Named: Your noise is not scaled by β
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + torch.randn_like(z)
