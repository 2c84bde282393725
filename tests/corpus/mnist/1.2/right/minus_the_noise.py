"""The noise is subtracted, which is the same draw: −ε is as normal as ε."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t, z)
        noise = torch.randn(z.size(), dtype=z.dtype, device=z.device)
        return torch.sub(self.alpha(t) * z, self.beta(t) * noise)
