"""β scales the data and α the noise.

Named: α and β look swapped
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.beta(t) * z + self.alpha(t) * torch.randn_like(z)
