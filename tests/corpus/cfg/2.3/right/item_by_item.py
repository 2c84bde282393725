"""A loop over the batch, each item in a batch of one."""


class CFGVectorFieldODE(CFGVectorFieldODE):
    def drift_coefficient(self, x, t, y):
        w, rows = self.guidance_scale, []
        none = torch.tensor([self.null_label])
        for i in range(len(x)):
            one, when = x[i : i + 1], t[i : i + 1]
            rows.append((1 - w) * self.net(one, when, none) + w * self.net(one, when, y[i : i + 1]))
        return torch.cat(rows)
