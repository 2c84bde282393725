"""The derivatives of the schedule are used.

Named: This combines the derivatives
"""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        return self.alpha.dt(t) * z + self.beta.dt(t) * torch.randn_like(z)
