"""The velocity comes back as a numpy array.

Named: should be a torch tensor; yours is a ndarray
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        out = (1 - self.guidance_scale) * free + self.guidance_scale * self.net(x, t, y)
        return out.detach().numpy()
