"""torch.normal with mean and standard deviation, schedule before the axes."""


class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)
        self.alpha = alpha
        self.beta = beta

    def sample_conditional_path(self, z, t):
        a, b = self.alpha(t), self.beta(t)
        a, b = a[:, None, None, None], b[:, None, None, None]
        return torch.normal(a * z, b.expand(z.shape))
