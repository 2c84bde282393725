"""The noise gets what the data leave, 1 − α.

Named: Your noise is scaled by 1 − α;
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        alpha = self.alpha(expand_time(t, z))
        return alpha * z + (1 - alpha) * torch.randn_like(z)
