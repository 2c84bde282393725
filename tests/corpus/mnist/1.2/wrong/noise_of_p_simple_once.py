"""p_simple is asked for a single sample.

Named: is the same for several items of the batch
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * self.p_simple.sample(1)
