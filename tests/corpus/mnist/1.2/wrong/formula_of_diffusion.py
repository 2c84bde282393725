"""The formula of diffusion models, with their ᾱ.

Named: the formula of diffusion models
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        alpha = self.alpha(expand_time(t, z))
        return alpha.sqrt() * z + (1 - alpha).sqrt() * torch.randn_like(z)
