"""New noise instead of that which is in x.

Named: The noise here is drawn anew
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return -torch.randn_like(x) / self.beta(t)
