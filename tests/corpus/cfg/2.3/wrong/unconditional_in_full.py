"""u(x|∅) + w u(x|y): the conditional field itself is added instead of the difference.

Named: The unconditional field counts in full: its weight is 1 − w
"""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        free = self.net(x, t, torch.full_like(y, self.null_label))
        return free + self.guidance_scale * self.net(x, t, y)
