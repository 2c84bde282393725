"""A bracket too far: α multiplies the noise, too.

Named: This is α (z + β ε)
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha(t) * (z + self.beta(t) * torch.randn_like(z))
