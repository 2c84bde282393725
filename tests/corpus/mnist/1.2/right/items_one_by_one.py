"""One item after another, in float64."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        draws = []
        for item, time in zip(z.double(), t.double(), strict=True):
            noise = torch.randn(item.shape, dtype=torch.float64)
            draws.append(self.alpha(time) * item + self.beta(time) * noise)
        return torch.stack(draws)
