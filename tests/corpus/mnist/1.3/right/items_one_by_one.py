"""One item after another."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    def one(x, z, t):
        noise = (x - self.alpha(t) * z) / self.beta(t)
        return self.alpha.dt(t) * z + self.beta.dt(t) * noise

    return torch.stack([one(*item) for item in zip(x, z, t, strict=True)])
