"""The mean is returned, without noise.

Named: This is only the mean α z
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        return self.alpha(expand_time(t, z)) * z
