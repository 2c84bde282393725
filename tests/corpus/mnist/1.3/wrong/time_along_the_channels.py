"""t gets two axes where it needs three.

Named: lies along the channels
"""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, t):
    t = t[:, None, None]
    a, b = self.alpha(t), self.beta(t)
    da, db = self.alpha.dt(t), self.beta.dt(t)
    return da * z + db * (x - a * z) / b
