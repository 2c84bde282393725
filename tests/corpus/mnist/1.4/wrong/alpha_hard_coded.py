"""t in place of α(t).

Named: α is hard-coded as t
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return (t * z - x) / self.beta(t) ** 2
