"""The noise is drawn once and kept.

Named: Two calls gave the same x
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        if not hasattr(self, "noise"):
            self.noise = torch.randn_like(z)
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * self.noise
