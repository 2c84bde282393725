"""The batch goes last, where t lines up by itself; einsum puts things together."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    ratio = self.beta.dt(t) / self.beta(t)
    still = (x.movedim(0, -1) - self.alpha(t) * z.movedim(0, -1)).movedim(-1, 0)
    pull = torch.einsum("b, bchw -> bchw", self.alpha.dt(t), z)
    return pull + torch.einsum("b, bchw -> bchw", ratio, still)
