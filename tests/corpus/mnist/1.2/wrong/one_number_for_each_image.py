"""One random number for each image.

Named: is the same for several elements of one item
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * torch.randn(len(z), 1, 1, 1)
