"""Minus the noise over β, in float64, with keywords and another name for the time."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_score(self, x, z, times):
    when = expand_time(t=times.double(), x=x.double())
    noise = (x.double() - self.alpha(t=when) * z.double()) / self.beta(t=when)
    return (-noise / self.beta(t=when)).to(x)
