"""A random stream of its own, seeded with 0 once and kept by the path."""


class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)
        self.alpha = alpha
        self.beta = beta

    def sample_conditional_path(self, z, t):
        if not hasattr(self, "stream"):
            self.stream = torch.Generator(device=z.device)
            self.stream.manual_seed(0)
        noise = torch.randn(z.shape, generator=self.stream, dtype=z.dtype, device=z.device)
        t = expand_time(t, z)
        return torch.addcmul(self.alpha(t) * z, self.beta(t), noise)
