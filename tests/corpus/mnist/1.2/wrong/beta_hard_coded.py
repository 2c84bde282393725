"""The noise is scaled by 1 − t instead of β(t).

Named: β is hard-coded as 1 − t
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + (1 - t) * torch.randn_like(z)
