"""1 − t in place of β(t).

Named: β is hard-coded as 1 − t
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (self.alpha(t) * z - x) / (1 - t) ** 2
