"""einsum pairs each item with its numbers, and the noise comes from p_simple."""


class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)
        self.alpha = alpha
        self.beta = beta

    def sample_conditional_path(self, z, t):
        noise = self.p_simple.sample(z.shape[0])
        data = torch.einsum("b, bchw -> bchw", self.alpha(t), z)
        return data + torch.einsum("bchw, b -> bchw", noise, self.beta(t))
