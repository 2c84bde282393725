"""There is no return.

Named: Is there a return?
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        self.x = self.alpha(t) * z + self.beta(t) * torch.randn_like(z)
