"""β is kept away from 0, so that noise is left at t = 1.

Named: At t = 1 the sample should be z itself
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t).clamp_min(0.05) * torch.randn_like(z)
