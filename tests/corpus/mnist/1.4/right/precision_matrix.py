"""einsum with the precision 1/β², and the schedule asked before the axes are added."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    precision = self.beta(t).pow(-2)
    gap = torch.einsum("b, bchw -> bchw", self.alpha(t), z) - x
    return torch.einsum("bchw, b -> bchw", gap, precision)
