"""t gets two axes where it needs three.

Named: lies along the channels
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = t[:, None, None]
        return self.alpha(t) * z + self.beta(t) * torch.randn_like(z)
