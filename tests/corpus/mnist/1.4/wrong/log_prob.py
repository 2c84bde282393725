"""log_prob is returned, not its derivative.

Named: This is the log-density with all its constants
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    return torch.distributions.Normal(self.alpha(t) * z, self.beta(t)).log_prob(x)
