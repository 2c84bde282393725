"""The papers' (1 + s) u(x|y) − s u(x|∅) with s = w − 1; the network is called by keyword."""


class CFGVectorFieldODE(ODE):
    def __init__(self, net, null_label, guidance_scale=1.0):
        self.net, self.null_label, self.guidance_scale = net, null_label, guidance_scale

    def ask(self, x, t, y):
        return self.net(x=x, t=t, y=y)

    def drift_coefficient(self, x, t, y):
        s = self.guidance_scale - 1
        unconditional = self.ask(x, t, torch.tensor([self.null_label]).expand(len(x)))
        return (1 + s) * self.ask(x, t, y) - s * unconditional
