"""Images as rows of a matrix; covariance β² I through a diagonal and its root."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        rows = z.reshape(len(z), -1)
        variance = self.beta(t).square().unsqueeze(1)
        x = self.alpha(t).unsqueeze(1) * rows + variance.sqrt() * torch.randn(rows.shape).to(rows)
        return x.reshape(z.shape)
