"""One noise image for the whole batch.

Named: is the same for several items of the batch
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * torch.randn_like(z[:1])
