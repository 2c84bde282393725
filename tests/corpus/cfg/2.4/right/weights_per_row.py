"""Each row of the doubled batch has its weight, and the two rows of an item are added."""


class BatchedCFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        n = y.shape[0]
        labels = torch.cat([y, torch.full_like(y, self.null_label)])
        out = self.net(torch.cat(2 * [x]), torch.cat(2 * [t]), labels)
        weights = torch.ones(2 * n).to(out) * (1 - self.guidance_scale)
        weights[:n] = self.guidance_scale
        out = weights.reshape(-1, *[1] * (out.ndim - 1)) * out
        return out.view(2, n, *x.shape[1:]).sum(dim=0)
