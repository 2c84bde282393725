"""Where w is 0 or 1 one answer is enough, so the network is asked once."""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        w, none = self.guidance_scale, torch.full_like(y, self.null_label)
        if w == 1:
            return self.net(x, t, y)
        if w == 0:
            return self.net(x, t, none)
        return self.net(x, t, none).mul(1 - w).add(self.net(x, t, y), alpha=w)
