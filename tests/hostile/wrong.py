"""Answers that a student could hand in and that earn nothing: attacks stand beside these.

`# %% <id of a cell>` begins the text of that cell.
"""


# %% mnist-1-1-answer
class CosineAlpha(Alpha):
    def __call__(self, t):
        return t

    def dt(self, t):
        return torch.ones_like(t)


class CosineBeta(Beta):
    def __call__(self, t):
        return 1 - t

    def dt(self, t):
        return -torch.ones_like(t)


# %% mnist-1-2-answer
class GaussianConditionalProbabilityPath(ConditionalProbabilityPath):
    def __init__(self, p_data, p_simple_shape, alpha, beta):
        super().__init__(IsotropicGaussian(p_simple_shape), p_data)
        self.alpha, self.beta = alpha, beta

    def sample_conditional_path(self, z, t):
        return z.clone()


# %% mnist-1-3-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    return torch.zeros_like(x)


# %% mnist-1-4-answer
@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    return torch.zeros_like(x)
