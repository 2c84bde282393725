"""Starts from ∅ and walks along the difference, in float64."""


class CFGVectorFieldODE(ODE):
    def __init__(self, net, null_label, guidance_scale=1.0):
        self.net = net
        self.null_label = null_label
        self.guidance_scale = guidance_scale

    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label)).double()
        given = self.net(x, t, y).double()
        return (free + self.guidance_scale * (given - free)).to(x.dtype)
