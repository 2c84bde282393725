"""Normal numbers made of uniform ones, by Box and Muller."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        u, v = torch.rand_like(z), torch.rand_like(z)
        noise = (-2 * torch.log1p(-u)).sqrt() * torch.cos(2 * math.pi * v)
        t = expand_time(t, z)
        return self.alpha(t) * z + self.beta(t) * noise
