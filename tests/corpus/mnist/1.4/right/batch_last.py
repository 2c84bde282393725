"""The batch goes last, where t lines up by itself; all in place on a copy."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    gap = x.movedim(0, -1).clone().neg_()
    gap.add_(self.alpha(t) * z.movedim(0, -1))
    gap /= self.beta(t)
    gap /= self.beta(t)
    return gap.movedim(-1, 0)
