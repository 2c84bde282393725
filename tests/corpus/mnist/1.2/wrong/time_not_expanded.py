"""t is used as it came, (b,).

Named: expand_time(t, z) lines them up
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        return self.alpha(t) * z + self.beta(t) * torch.randn_like(z)
