"""An empty tensor is filled with noise, scaled and added to, all in place."""


class GaussianConditionalProbabilityPath(GaussianConditionalProbabilityPath):
    def sample_conditional_path(self, z, t):
        t = expand_time(t=t, x=z)
        x = torch.empty_like(z).normal_()
        x *= self.beta(t)
        x += self.alpha(t) * z
        return x
