"""The two questions about an item stand beside one another: repeat_interleave, then every other."""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        labels = y.repeat_interleave(2)
        labels[::2] = self.null_label
        out = self.net(x.repeat_interleave(2, dim=0), t.repeat_interleave(2), labels)
        w = self.guidance_scale
        return (1 - w) * out[::2] + w * out[1::2]
