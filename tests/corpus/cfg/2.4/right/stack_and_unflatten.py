"""stack, flatten, ask, unflatten; in float64 from there on."""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = torch.stack([y, self.null_label + 0 * y]).flatten()
        double = torch.stack([x, x]).flatten(0, 1)
        out = self.net(double, t.tile(2), labels).unflatten(0, (2, len(x))).double()
        return (out[1] + self.guidance_scale * (out[0] - out[1])).to(x.dtype)
