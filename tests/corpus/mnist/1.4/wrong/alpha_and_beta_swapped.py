"""α and β are swapped.

Named: α and β look swapped
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, t):
    t = expand_time(t, x)
    a, b = self.beta(t), self.alpha(t)
    return (a * z - x) / b**2
