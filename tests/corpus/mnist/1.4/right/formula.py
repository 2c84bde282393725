"""The formula, with t seen as (b, 1, 1, 1) and no clamp."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = t.view(-1, 1, 1, 1)
    return (self.alpha(t) * z - x).div(self.beta(t).square())
