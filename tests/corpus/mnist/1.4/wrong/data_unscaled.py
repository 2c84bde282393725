"""The mean is taken to be z.

Named: z is not scaled by α
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (z - x) / self.beta(t) ** 2
