"""torch.distributions draws, from mean and standard deviation."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        time = t.view(-1, 1, 1, 1)
        std = self.beta(time).expand_as(z)
        return torch.distributions.Normal(self.alpha(time) * z, std, validate_args=False).sample()
