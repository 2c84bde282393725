"""There is no return.

Named: Is there a return?
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    self.score = (self.alpha(t) * z - x) / self.beta(t) ** 2
