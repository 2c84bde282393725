"""β is computed from α as if every schedule lay on the circle.

Named: Your noise is scaled by √(1 − α²)
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        alpha = self.alpha(expand_time(t, z))
        return alpha * z + (1 - alpha**2).sqrt() * torch.randn_like(z)
