"""In float64 all the way, with keywords, and another name for the time."""


@add_to(GaussianConditionalProbabilityPath)
def conditional_vector_field(self, x, z, time):
    dtype = x.dtype
    x, z, time = x.double(), z.double(), expand_time(t=time, x=x.double())
    noise = (x - self.alpha(t=time) * z) / self.beta(t=time).clamp(min=1e-12)
    return (self.alpha.dt(t=time) * z + self.beta.dt(t=time) * noise).to(dtype)
